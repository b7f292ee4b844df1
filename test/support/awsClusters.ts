import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateInternetGatewayCommand,
  CreateKeyPairCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCidrReservationCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeImagesCommand,
  type EC2Client,
  type ResourceType,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  type IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { openAccount } from "../../infra/inventoryAccount.ts";
import { machinesOnly, rights, tlsOnly } from "../../infra/rights.ts";
import { clusterTags, nodeTags, type Tags } from "../../infra/tags.ts";
import type { RoleName } from "../../roles/role.ts";
import type { Ground } from "./pulumiEngine.ts";

/** The account of the rehearsal's API as our own code sees it. */
export function accountOf({ api }: Ground, region = "eu-central-1") {
  return openAccount({ region, endpoint: api.url, credentials: { accessKeyId: "test", secretAccessKey: "test" } });
}

/** The environment with which a command finds the rehearsal's API and nothing of the person's own. */
export function awsEnv({ api }: Ground): Record<string, string> {
  return {
    ...{ AWS_ENDPOINT_URL: api.url, AWS_REGION: "eu-central-1", AWS_EC2_METADATA_DISABLED: "true" },
    ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    ...{ AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" },
  };
}

export interface MadeNode {
  readonly id: string;
  readonly roles: readonly RoleName[];
  readonly spot?: boolean;
}

export interface ClusterFacts {
  readonly cluster: string;
  readonly stack?: string;
  readonly expires?: string;
  readonly nodes?: readonly MadeNode[];
}

export interface MadeCluster {
  readonly vpc: string;
  readonly subnet: string;
  readonly walls: readonly string[];
  readonly bucket: string;
  /** Node → instance. */
  readonly instances: Readonly<Record<string, string>>;
}

const trio: readonly MadeNode[] = [
  { id: "lead-0", roles: ["core", "controller", "health", "router"] },
  { id: "work-0", roles: ["dea", "stager"] },
  { id: "run-0", roles: ["dea"], spot: true },
];

const awsTags = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const marked = (ResourceType: ResourceType, tags: Tags) => ({
  TagSpecifications: [{ ResourceType, Tags: awsTags(tags) }],
});

/** A cluster as `infra/` would have made it, by plain calls, so that no engine and no state is about. */
export async function makeCluster({ ec2, iam, s3 }: Ground, facts: ClusterFacts): Promise<MadeCluster> {
  const { cluster, stack = "dev", expires = "never", nodes = trio } = facts;
  const owned = { cluster, stack, aws: { owner: "me@example.com", expires } };
  const tags = clusterTags(owned);
  const base = `${cluster}-${stack}`;
  const { vpc, subnet } = await network(ec2, tags);
  const walls = await firewalls(ec2, { base, vpc, tags });
  await ec2.send(new CreateKeyPairCommand({ KeyName: base, ...marked("key-pair", tags) }));
  await identity(iam, base, tags);
  const bucket = await depot(s3, base, tags);
  const instances: Record<string, string> = {};
  for (const node of nodes) {
    const all = nodeTags(owned, { ...node, group: node.id.replace(/-\d+$/, "") });
    instances[node.id] = await launch(ec2, { subnet, walls, key: base, tags: all, spot: node.spot ?? false });
    if (node.roles.includes("router")) await address(ec2, instances[node.id] ?? "", all);
  }
  return { vpc, subnet, walls, bucket, instances };
}

async function network(ec2: EC2Client, tags: Tags) {
  const made = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.20.0.0/16", ...marked("vpc", tags) }));
  const VpcId = made.Vpc?.VpcId ?? "";
  const place = { VpcId, CidrBlock: "10.20.0.0/20", AvailabilityZone: "eu-central-1a" };
  const { Subnet } = await ec2.send(new CreateSubnetCommand({ ...place, ...marked("subnet", tags) }));
  const kept = { SubnetId: Subnet?.SubnetId, Cidr: "10.20.0.8/29", ReservationType: "explicit" as const };
  await ec2.send(new CreateSubnetCidrReservationCommand(kept));
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand(marked("internet-gateway", tags)));
  const GatewayId = InternetGateway?.InternetGatewayId ?? "";
  await ec2.send(new AttachInternetGatewayCommand({ VpcId, InternetGatewayId: GatewayId }));
  const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId, ...marked("route-table", tags) }));
  const RouteTableId = RouteTable?.RouteTableId;
  await ec2.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0", GatewayId }));
  await ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId: Subnet?.SubnetId }));
  return { vpc: VpcId, subnet: Subnet?.SubnetId ?? "" };
}

/** Two that name each other, as a cluster's do. */
async function firewalls(ec2: EC2Client, { base, vpc, tags }: { base: string; vpc: string; tags: Tags }) {
  const make = async (name: string) => {
    const settings = { GroupName: name, Description: name, VpcId: vpc };
    return (await ec2.send(new CreateSecurityGroupCommand({ ...settings, ...marked("security-group", tags) }))).GroupId;
  };
  const [one = "", other = ""] = [await make(`${base}-members`), await make(`${base}-lead`)];
  const open = (GroupId: string, from: string) => {
    const rule = { IpProtocol: "tcp", FromPort: 4222, ToPort: 4222, UserIdGroupPairs: [{ GroupId: from }] };
    return ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
  };
  await open(one, other);
  await open(other, one);
  return [one, other];
}

async function identity(iam: IAMClient, name: string, tags: Tags): Promise<void> {
  const Tags = awsTags(tags);
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: machinesOnly, Tags }));
  const PolicyDocument = rights(`arn:aws:s3:::${name}`, ["core"]);
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "rights", PolicyDocument }));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name, Tags }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: name, RoleName: name }));
}

/** With versions, a mark of a deletion, and a policy that lets nobody in from here: a bucket that does not go by itself. */
async function depot(s3: S3Client, Bucket: string, tags: Tags): Promise<string> {
  const place = { LocationConstraint: "eu-central-1" as const };
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: place }));
  await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: awsTags(tags) } }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  for (const Body of ["one", "two"]) await s3.send(new PutObjectCommand({ Bucket, Key: "droplets/a", Body }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "droplets/a" }));
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: tlsOnly(`arn:aws:s3:::${Bucket}`) }));
  return Bucket;
}

interface Launch {
  readonly subnet: string;
  readonly walls: readonly string[];
  readonly key: string;
  readonly tags: Tags;
  readonly spot: boolean;
}

export async function launch(ec2: EC2Client, { subnet, walls, key, tags, spot }: Launch): Promise<string> {
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["136693071363"] }));
  const image = Images.find(({ Architecture }) => Architecture === "x86_64")?.ImageId;
  const mark = (ResourceType: ResourceType) => ({ ResourceType, Tags: awsTags(tags) });
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ...{ ImageId: image, InstanceType: "t3.small", MinCount: 1, MaxCount: 1, KeyName: key },
      ...{ SubnetId: subnet, SecurityGroupIds: [...walls] },
      ...(spot && { InstanceMarketOptions: { MarketType: "spot" } }),
      TagSpecifications: [mark("instance"), mark("volume")],
    }),
  );
  return Instances[0]?.InstanceId ?? "";
}

export async function address(ec2: EC2Client, InstanceId: string, tags: Tags): Promise<string> {
  const made = await ec2.send(new AllocateAddressCommand({ Domain: "vpc", ...marked("elastic-ip", tags) }));
  const { AllocationId } = made;
  if (InstanceId) await ec2.send(new AssociateAddressCommand({ InstanceId, AllocationId }));
  return AllocationId ?? "";
}
