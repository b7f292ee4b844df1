import type {
  DescribeInstancesResult,
  Instance,
  RunInstancesCommandInput,
  RunInstancesCommandOutput,
} from "@aws-sdk/client-ec2";
import type { Happening } from "../../rehearsal/ground/event.ts";
import { type Caller, callRoom } from "./vpc.ts";

/** The API of EC2 and a ground in a closed room, with a network and a security group that lets ssh in. */
export interface GroundLab extends Caller {
  ec2<T = unknown>(name: string, input?: object): Promise<T>;
  /** Ids of the instances, in order. */
  launch(count: number, more?: Partial<RunInstancesCommandInput>): Promise<string[]>;
  instance(id: string): Promise<Instance>;
  /** Waits for an event of the machine, the nth of its kind → milliseconds since 1970. */
  until(id: string, kind: Happening, nth?: number): Promise<number>;
  sh(space: string, script: string): Promise<{ code: number; out: string }>;
  readonly group: string;
}

export interface GroundLabOptions {
  /** Real machines of this image; else fake ones. */
  readonly image?: string;
  /** Number of a fake machine, in the order in which they are made → how it differs. */
  readonly ways?: Record<number, { slow?: number; broken?: number }>;
}

export async function groundLab({ image, ways = {} }: GroundLabOptions = {}): Promise<GroundLab> {
  const caller = await callRoom("groundRoom.ts", {
    ...(image && { TUTTI_TEST_IMAGE: image }),
    TUTTI_TEST_WAYS: JSON.stringify(ways),
  });
  const ec2: GroundLab["ec2"] = (name, input = {}) => caller.call("ec2", name, input);
  const { Vpc } = await ec2<{ Vpc: { VpcId: string } }>("CreateVpc", { CidrBlock: "10.20.0.0/16" });
  const place = { VpcId: Vpc.VpcId, CidrBlock: "10.20.0.0/20", AvailabilityZone: "eu-central-1a" };
  const { Subnet } = await ec2<{ Subnet: { SubnetId: string } }>("CreateSubnet", place);
  const SubnetId = Subnet.SubnetId;
  await ec2("ModifySubnetAttribute", { SubnetId, MapPublicIpOnLaunch: { Value: true } });
  const named = { GroupName: "doors", Description: "ssh", VpcId: Vpc.VpcId };
  const { GroupId: group } = await ec2<{ GroupId: string }>("CreateSecurityGroup", named);
  const ssh = { IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
  await ec2("AuthorizeSecurityGroupIngress", { GroupId: group, IpPermissions: [ssh] });
  const usual = { ImageId: "ami-0d12a64de0b1200ab", InstanceType: "t3.micro", SubnetId, SecurityGroupIds: [group] };
  return {
    ...caller,
    ec2,
    group,
    async launch(count, more = {}) {
      const request = { ...usual, MinCount: count, MaxCount: count, ...more };
      const { Instances = [] } = await ec2<RunInstancesCommandOutput>("RunInstances", request);
      return Instances.map(({ InstanceId = "" }) => InstanceId);
    },
    async instance(id) {
      const { Reservations } = await ec2<DescribeInstancesResult>("DescribeInstances", { InstanceIds: [id] });
      const found = Reservations?.[0]?.Instances?.[0];
      if (!found) throw new Error(`there is no ${id}`);
      return found;
    },
    until: (id, kind, nth = 1) => caller.call("event", id, kind, nth),
    sh: (space, script) => caller.call("sh", space, script),
  };
}
