import type { SecurityGroup as Described, IpPermission } from "@aws-sdk/client-ec2";
import type { Permission, SecurityGroup } from "../vpc/picture.ts";

/** A security group as the API describes it → as the firewall takes it. IPv6 and prefix lists are left out. */
export function groupOf({ GroupId = "", IpPermissions = [], IpPermissionsEgress = [] }: Described): SecurityGroup {
  return { id: GroupId, inward: IpPermissions.map(permission), outward: IpPermissionsEgress.map(permission) };
}

function permission({
  IpProtocol = "-1",
  FromPort,
  ToPort,
  IpRanges = [],
  UserIdGroupPairs = [],
}: IpPermission): Permission {
  return {
    protocol: IpProtocol,
    ...(FromPort !== undefined && { first: FromPort }),
    ...(ToPort !== undefined && { last: ToPort }),
    cidrs: IpRanges.flatMap(({ CidrIp }) => CidrIp ?? []),
    groups: UserIdGroupPairs.flatMap(({ GroupId }) => GroupId ?? []),
  };
}
