import {
  CreateSubnetCidrReservationCommand,
  DeleteSubnetCidrReservationCommand,
  GetSubnetCidrReservationsCommand,
  type SubnetCidrReservation,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, text } from "../kind.ts";
import { orGone } from "../retry.ts";

/** Has no tags on the real provider; what an interrupted run has left is known by its block. */
export const subnetCidrReservation: Kind = {
  token: "aws:ec2/subnetCidrReservation:SubnetCidrReservation",
  fields: {
    subnetId: { required: true, replaces: true },
    cidrBlock: { required: true, replaces: true },
    reservationType: { required: true, replaces: true, oneOf: ["explicit", "prefix"] },
    description: { replaces: true },
  },
  async create(aws, { inputs }) {
    const [SubnetId = "", Cidr] = [text(inputs, "subnetId"), text(inputs, "cidrBlock")];
    const there = (await all(aws, SubnetId)).find((one) => one.Cidr === Cidr);
    if (there?.SubnetCidrReservationId) return there.SubnetCidrReservationId;
    const ReservationType = text(inputs, "reservationType") as never;
    const command = new CreateSubnetCidrReservationCommand({
      ...{ SubnetId, Cidr, ReservationType },
      Description: text(inputs, "description"),
    });
    return (await aws.ec2.send(command)).SubnetCidrReservation?.SubnetCidrReservationId ?? "";
  },
  async read(aws, id, known) {
    const found = await all(aws, text(known, "subnetId") ?? "");
    const one = found.find(({ SubnetCidrReservationId }) => SubnetCidrReservationId === id);
    if (!one) return undefined;
    return {
      subnetId: one.SubnetId,
      cidrBlock: one.Cidr,
      reservationType: one.ReservationType,
      // moto keeps none: what is not told is not taken for a difference.
      ...(one.Description && { description: one.Description }),
      ownerId: one.OwnerId,
    };
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DeleteSubnetCidrReservationCommand({ SubnetCidrReservationId: id })));
  },
};

async function all(aws: Aws, SubnetId: string): Promise<SubnetCidrReservation[]> {
  const found = await orGone(aws.ec2.send(new GetSubnetCidrReservationsCommand({ SubnetId })));
  return found?.SubnetIpv4CidrReservations ?? [];
}
