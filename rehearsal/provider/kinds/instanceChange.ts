import {
  AssociateIamInstanceProfileCommand,
  DescribeIamInstanceProfileAssociationsCommand,
  DescribeInstancesCommand,
  DisassociateIamInstanceProfileCommand,
  ModifyInstanceAttributeCommand,
  type ModifyInstanceAttributeCommandInput,
  ModifyInstanceMetadataOptionsCommand,
  ModifyVolumeCommand,
  ReplaceIamInstanceProfileAssociationCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Change, list, number, object, type Props, text } from "../kind.ts";
import { retag } from "../marks.ts";
import { eventually } from "../retry.ts";
import { encoded, metadataRequest } from "./instanceLaunch.ts";

/** Changes a machine in place. What EC2 changes only of one that stands still comes last, all in one stop. */
export async function changeInstance(aws: Aws, change: Change): Promise<void> {
  const { id, inputs, before, changed } = change;
  if (changed.has("vpcSecurityGroupIds")) await modify(aws, id, { Groups: list(inputs, "vpcSecurityGroupIds") });
  if (changed.has("sourceDestCheck"))
    await modify(aws, id, { SourceDestCheck: { Value: inputs["sourceDestCheck"] !== false } });
  if (changed.has("disableApiTermination"))
    await modify(aws, id, { DisableApiTermination: { Value: inputs["disableApiTermination"] === true } });
  if (changed.has("instanceInitiatedShutdownBehavior"))
    await modify(aws, id, {
      InstanceInitiatedShutdownBehavior: { Value: text(inputs, "instanceInitiatedShutdownBehavior") },
    });
  if (changed.has("iamInstanceProfile")) await setProfile(aws, id, text(inputs, "iamInstanceProfile"));
  if (changed.has("metadataOptions")) {
    const options = metadataRequest(object(inputs, "metadataOptions"));
    await aws.ec2.send(new ModifyInstanceMetadataOptionsCommand({ InstanceId: id, ...(options as object) }));
  }
  if (changed.has("rootBlockDevice")) await changeDisk(aws, before, inputs);
  const asleep = whileStopped(change);
  if (asleep.length > 0)
    await stopped(aws, id, async () => {
      for (const one of asleep) await modify(aws, id, one);
    });
}

type Attribute = Omit<ModifyInstanceAttributeCommandInput, "InstanceId">;

function whileStopped({ inputs, changed }: Change): Attribute[] {
  const asleep: Attribute[] = [];
  if (changed.has("instanceType")) asleep.push({ InstanceType: { Value: text(inputs, "instanceType") } });
  if (changed.has("userData") || changed.has("userDataBase64")) {
    const base64 = text(inputs, "userDataBase64") ?? encoded(text(inputs, "userData")) ?? "";
    asleep.push({ UserData: { Value: Buffer.from(base64, "base64") } });
  }
  return asleep;
}

async function modify(aws: Aws, InstanceId: string, attribute: Attribute): Promise<void> {
  await aws.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, ...attribute }));
}

/** Does something to a machine that stands still, and has it run afterwards. */
async function stopped(aws: Aws, id: string, act: () => Promise<void>): Promise<void> {
  const ran = (await stateOf(aws, id)) !== "stopped";
  if (ran) {
    await aws.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
    await reaches(aws, id, "stopped");
  }
  await act();
  // Also where it stood still before: an attempt may have been cut off between stop and start.
  await aws.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
  await reaches(aws, id, "running");
}

async function reaches(aws: Aws, id: string, wanted: string): Promise<void> {
  await eventually(async () => ((await stateOf(aws, id)) === wanted ? true : undefined), `${id} is ${wanted}`);
}

async function stateOf(aws: Aws, id: string): Promise<string | undefined> {
  const { Reservations = [] } = await aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations[0]?.Instances?.[0]?.State?.Name;
}

async function setProfile(aws: Aws, InstanceId: string, name: string | undefined): Promise<void> {
  const Filters = [{ Name: "instance-id", Values: [InstanceId] }];
  const found = await aws.ec2.send(new DescribeIamInstanceProfileAssociationsCommand({ Filters }));
  const AssociationId = found.IamInstanceProfileAssociations?.[0]?.AssociationId;
  const IamInstanceProfile = { Name: name };
  if (!name) {
    if (AssociationId) await aws.ec2.send(new DisassociateIamInstanceProfileCommand({ AssociationId }));
  } else if (AssociationId)
    await aws.ec2.send(new ReplaceIamInstanceProfileAssociationCommand({ AssociationId, IamInstanceProfile }));
  else await aws.ec2.send(new AssociateIamInstanceProfileCommand({ InstanceId, IamInstanceProfile }));
}

async function changeDisk(aws: Aws, before: Props, inputs: Props): Promise<void> {
  const [had, wants] = [object(before, "rootBlockDevice"), object(inputs, "rootBlockDevice")];
  const VolumeId = text(had, "volumeId");
  if (!VolumeId) return;
  await retag(aws, VolumeId, object(had, "tags"), object(wants, "tags"));
  const differs = ["volumeSize", "volumeType", "iops", "throughput"].some(
    (key) => wants[key] !== undefined && wants[key] !== had[key],
  );
  if (!differs) return;
  const size = { Size: number(wants, "volumeSize"), VolumeType: text(wants, "volumeType") as never };
  const speed = { Iops: number(wants, "iops"), Throughput: number(wants, "throughput") };
  await aws.ec2.send(new ModifyVolumeCommand({ VolumeId, ...size, ...speed }));
}
