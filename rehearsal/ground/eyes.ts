import {
  DescribeInstanceAttributeCommand,
  DescribeInstanceTypesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
  paginateDescribeInstances,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { GetInstanceProfileCommand, IAMClient } from "@aws-sdk/client-iam";
import { instanceTypeOf } from "../../roles/instanceTypes.ts";
import { changesPath } from "../faults.ts";
import type { Network } from "../vpc/picture.ts";
import { groupOf } from "./groups.ts";
import type { Birth, Seen, SeenInstance } from "./seen.ts";

/** Eyes and hands at the rehearsal's API. */
export interface Eyes {
  look(): Promise<Seen>;
  /** Another text when something was changed since; undefined when the API does not tell. */
  changes(): Promise<string | undefined>;
  birth(instance: SeenInstance): Promise<Birth>;
  /** The machine has switched itself off: the API is told, as nobody else knows. */
  switchedOff(id: string, atShutdown: Birth["atShutdown"]): Promise<void>;
  /** Calls since the beginning. */
  readonly calls: number;
  close(): void;
}

/** What is there; those that are gone are listed by EC2 for a while, and by the rehearsal's API for ever. */
const alive = ["pending", "running", "stopping", "stopped"];

export function eyes(endpoint: string, region: string): Eyes {
  const credentials = { accessKeyId: "rehearsal", secretAccessKey: "rehearsal" };
  const ec2 = new EC2Client({ region, endpoint, credentials, maxAttempts: 1 });
  const iam = new IAMClient({ region, endpoint, credentials, maxAttempts: 1 });
  const networks = networksOf(ec2);
  let calls = 0;
  for (const { middlewareStack } of [ec2, iam])
    (middlewareStack as EC2Client["middlewareStack"]).add(
      (next) => (args) => {
        calls++;
        return next(args);
      },
      { step: "initialize" },
    );
  return {
    async look() {
      const [instances, { SecurityGroups = [] }] = await Promise.all([
        listed(ec2),
        ec2.send(new DescribeSecurityGroupsCommand({})),
      ]);
      const wanted = new Set(instances.flatMap(({ SubnetId }) => SubnetId ?? []));
      return { instances, groups: SecurityGroups.map(groupOf), networks: await networks(wanted) };
    },
    changes: () => changesOf(endpoint),
    birth: (instance) => birth({ ec2, iam }, instance),
    async switchedOff(id, atShutdown) {
      const InstanceIds = [id];
      if (atShutdown === "terminate") await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
      else await ec2.send(new StopInstancesCommand({ InstanceIds }));
    },
    get calls() {
      return calls;
    },
    close() {
      ec2.destroy();
      iam.destroy();
    },
  };
}

async function changesOf(endpoint: string): Promise<string | undefined> {
  try {
    const text = await (await fetch(new URL(changesPath, endpoint))).text();
    return /^\d+$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

async function listed(client: EC2Client): Promise<SeenInstance[]> {
  const all: SeenInstance[] = [];
  const Filters = [{ Name: "instance-state-name", Values: alive }];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client }, { Filters }))
    for (const { Instances = [], OwnerId = "", ReservationId = "" } of Reservations)
      for (const one of Instances)
        all.push({ ...one, InstanceId: one.InstanceId ?? "", account: OwnerId, reservation: ReservationId });
  return all;
}

/** Networks don't change: they are asked for when one is met that is not known. */
function networksOf(ec2: EC2Client): (subnets: ReadonlySet<string>) => Promise<readonly Network[]> {
  let known: readonly Network[] = [];
  return async (wanted) => {
    const all = new Set(known.flatMap(({ subnets }) => subnets.map(({ id }) => id)));
    if ([...wanted].every((id) => all.has(id))) return known;
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [...wanted] }));
    // Each once: an API that counts its answers takes one that is asked for twice for one that is missing.
    const VpcIds = [...new Set(Subnets.flatMap(({ VpcId }) => VpcId ?? []))];
    const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ VpcIds }));
    known = Vpcs.map(({ VpcId = "", CidrBlock = "" }) => {
      const own = Subnets.filter((subnet) => subnet.VpcId === VpcId);
      return {
        id: VpcId,
        cidr: CidrBlock,
        subnets: own.map((one) => ({ id: one.SubnetId ?? "", cidr: one.CidrBlock ?? "" })),
      };
    });
    return known;
  };
}

interface Clients {
  readonly ec2: EC2Client;
  readonly iam: IAMClient;
}

async function birth({ ec2, iam }: Clients, instance: SeenInstance): Promise<Birth> {
  const { InstanceId, KeyName, IamInstanceProfile } = instance;
  const attribute = (Attribute: "userData" | "instanceInitiatedShutdownBehavior") =>
    ec2.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
  const [userData, shutdown, key, profile, disk, memory] = await Promise.all([
    attribute("userData"),
    attribute("instanceInitiatedShutdownBehavior"),
    KeyName ? keyOf(ec2, KeyName) : undefined,
    IamInstanceProfile?.Arn ? profileOf(iam, IamInstanceProfile.Arn) : undefined,
    diskOf(ec2, instance),
    memoryOf(ec2, instance.InstanceType ?? ""),
  ]);
  const atShutdown = shutdown.InstanceInitiatedShutdownBehavior?.Value === "terminate" ? "terminate" : "stop";
  return { userData: userData.UserData?.Value, atShutdown, key, profile, disk, memory };
}

async function keyOf(ec2: EC2Client, name: string): Promise<Birth["key"]> {
  const query = { KeyNames: [name], IncludePublicKey: true };
  // A key pair may be deleted while machines that had it at birth go on.
  const { KeyPairs = [] } = await ec2.send(new DescribeKeyPairsCommand(query)).catch(() => ({}) as { KeyPairs?: [] });
  const text = KeyPairs[0]?.["PublicKey"];
  return text ? { name, text } : undefined;
}

async function profileOf(iam: IAMClient, arn: string): Promise<Birth["profile"]> {
  const InstanceProfileName = arn.split("/").at(-1) ?? "";
  const found = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName })).catch(() => undefined);
  const role = found?.InstanceProfile?.Roles?.[0]?.RoleName;
  return role ? { arn, id: found?.InstanceProfile?.InstanceProfileId ?? "", role } : undefined;
}

async function diskOf(ec2: EC2Client, { RootDeviceName, BlockDeviceMappings = [] }: SeenInstance): Promise<number> {
  const root = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName) ?? BlockDeviceMappings[0];
  const id = root?.Ebs?.VolumeId;
  if (!id) return 8;
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }));
  return Volumes[0]?.Size ?? 8;
}

async function memoryOf(ec2: EC2Client, type: string): Promise<number> {
  const known = instanceTypeOf(type);
  if (known) return known.memory;
  const query = { InstanceTypes: [type as "t3.micro"] };
  const { InstanceTypes = [] } = await ec2.send(new DescribeInstanceTypesCommand(query));
  return InstanceTypes[0]?.MemoryInfo?.SizeInMiB ?? 1024;
}
