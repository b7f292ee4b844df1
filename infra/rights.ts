import type { RoleName } from "../roles/role.ts";

/** Where things lie in the cluster's bucket. */
export const prefixes = { agent: "agent/", identity: "identity/", droplets: "droplets/" } as const;

interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: string[] | string;
  Resource: string[] | string;
  Principal?: unknown;
  Condition?: unknown;
}

const policy = (statements: Statement[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** Who may be a node: machines of EC2, nobody else. */
export const machinesOnly = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** What the nodes of a group may do on AWS: read their agent, and what their roles need of their own bucket. */
export function rights(bucket: string, roles: readonly RoleName[]): string {
  const in_ = (prefix: string) => `${bucket}/${prefix}*`;
  const statements: Statement[] = [
    { Sid: "Agent", Effect: "Allow", Action: "s3:GetObject", Resource: in_(prefixes.agent) },
  ];
  if (roles.includes("core"))
    statements.push({ Sid: "Identity", Effect: "Allow", Action: "s3:GetObject", Resource: in_(prefixes.identity) });
  if (roles.includes("controller")) statements.push(...dropletRights(bucket, in_(prefixes.droplets)));
  return policy(statements);
}

function dropletRights(bucket: string, droplets: string): Statement[] {
  const actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
  const mine = { StringLike: { "s3:prefix": [`${prefixes.droplets}*`] } };
  return [
    { Sid: "Droplets", Effect: "Allow", Action: actions, Resource: droplets },
    { Sid: "DropletList", Effect: "Allow", Action: "s3:ListBucket", Resource: bucket, Condition: mine },
  ];
}

/** Nobody speaks to the bucket in the clear. */
export function tlsOnly(bucket: string): string {
  return policy([
    {
      Sid: "TlsOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [bucket, `${bucket}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ]);
}
