import {
  DeleteInternetGatewayCommand,
  DeleteKeyPairCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCidrReservationCommand,
  DeleteSubnetCommand,
  DeleteVolumeCommand,
  DeleteVpcCommand,
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DetachInternetGatewayCommand,
  DisassociateAddressCommand,
  DisassociateRouteTableCommand,
  GetSubnetCidrReservationsCommand,
  paginateDescribeInstances,
  ReleaseAddressCommand,
  RevokeSecurityGroupIngressCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { Account } from "./inventoryAccount.ts";
import { isGone } from "./inventoryFault.ts";
import type { FoundKind } from "./inventoryFound.ts";
import { removeBucket, removeProfile, removeRole } from "./inventoryRemoveGlobal.ts";

type Removal = (account: Account, id: string) => Promise<unknown>;

const removals: Readonly<Record<FoundKind, Removal>> = {
  instance: ({ ec2 }, id) => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })),
  address: removeAddress,
  volume: ({ ec2 }, VolumeId) => ec2.send(new DeleteVolumeCommand({ VolumeId })),
  firewall: ({ ec2 }, GroupId) => ec2.send(new DeleteSecurityGroupCommand({ GroupId })),
  subnet: removeSubnet,
  "route-table": removeTable,
  gateway: removeGateway,
  network: ({ ec2 }, VpcId) => ec2.send(new DeleteVpcCommand({ VpcId })),
  key: ({ ec2 }, KeyName) => ec2.send(new DeleteKeyPairCommand({ KeyName })),
  profile: ({ iam }, name) => removeProfile(iam, name),
  role: ({ iam }, name) => removeRole(iam, name),
  bucket: ({ s3 }, name) => removeBucket(s3, name),
};

/** Removes one thing; one that is gone already is as good. Throws what AWS says: see isHeld for what may pass. */
export async function remove(account: Account, kind: FoundKind, id: string): Promise<void> {
  await orGone(removals[kind](account, id));
}

/** Which of these machines are still there, on their way out or not. */
export async function stillThere({ ec2 }: Account, ids: readonly string[]): Promise<string[]> {
  // By filter: an id that EC2 has forgotten is no error then.
  const left: string[] = [];
  for (let at = 0; at < ids.length; at += 200) {
    const Filters = [{ Name: "instance-id", Values: ids.slice(at, at + 200) }];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters }))
      for (const { InstanceId = "", State } of Reservations.flatMap(({ Instances = [] }) => Instances))
        if (State?.Name !== "terminated") left.push(InstanceId);
  }
  return left;
}

/** Firewalls name each other as sources: as long as one does, the other cannot go. */
export async function openUp({ ec2 }: Account, GroupId: string): Promise<void> {
  const found = await orGone(ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] })));
  const rules = found?.SecurityGroups?.[0]?.IpPermissions ?? [];
  const IpPermissions = rules.flatMap(({ IpProtocol, FromPort, ToPort, UserIdGroupPairs = [] }) =>
    UserIdGroupPairs.length > 0 ? [{ IpProtocol, FromPort, ToPort, UserIdGroupPairs }] : [],
  );
  if (IpPermissions.length > 0)
    await orGone(ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions })));
}

async function removeAddress({ ec2 }: Account, AllocationId: string): Promise<void> {
  // By filter: one that is gone is then no error.
  const Filters = [{ Name: "allocation-id", Values: [AllocationId] }];
  const found = await ec2.send(new DescribeAddressesCommand({ Filters }));
  const AssociationId = found.Addresses?.[0]?.AssociationId;
  if (AssociationId) await orGone(ec2.send(new DisassociateAddressCommand({ AssociationId })));
  await ec2.send(new ReleaseAddressCommand({ AllocationId }));
}

/** What is kept for cores has no tags: it goes with its subnet. */
async function removeSubnet({ ec2 }: Account, SubnetId: string): Promise<void> {
  const found = await orGone(ec2.send(new GetSubnetCidrReservationsCommand({ SubnetId })));
  for (const { SubnetCidrReservationId } of found?.SubnetIpv4CidrReservations ?? [])
    await orGone(ec2.send(new DeleteSubnetCidrReservationCommand({ SubnetCidrReservationId })));
  await ec2.send(new DeleteSubnetCommand({ SubnetId }));
}

async function removeTable({ ec2 }: Account, RouteTableId: string): Promise<void> {
  const found = await orGone(ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] })));
  for (const { Main, RouteTableAssociationId: AssociationId } of found?.RouteTables?.[0]?.Associations ?? [])
    if (!Main && AssociationId) await orGone(ec2.send(new DisassociateRouteTableCommand({ AssociationId })));
  await ec2.send(new DeleteRouteTableCommand({ RouteTableId }));
}

async function removeGateway({ ec2 }: Account, InternetGatewayId: string): Promise<void> {
  const ids = { InternetGatewayIds: [InternetGatewayId] };
  const found = await orGone(ec2.send(new DescribeInternetGatewaysCommand(ids)));
  for (const { VpcId } of found?.InternetGateways?.[0]?.Attachments ?? [])
    await orGone(ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId, VpcId })));
  await ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId }));
}

async function orGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
