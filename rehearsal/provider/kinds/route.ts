import { createHash } from "node:crypto";
import {
  CreateRouteCommand,
  DeleteRouteCommand,
  DescribeRouteTablesCommand,
  ReplaceRouteCommand,
} from "@aws-sdk/client-ec2";
import { type Kind, type Props, text } from "../kind.ts";
import { orGone } from "../retry.ts";

export const route: Kind = {
  token: "aws:ec2/route:Route",
  fields: {
    routeTableId: { required: true, replaces: true },
    destinationCidrBlock: { required: true, replaces: true },
    gatewayId: {},
    natGatewayId: {},
    networkInterfaceId: {},
  },
  async create(aws, { inputs }) {
    try {
      await aws.ec2.send(new CreateRouteCommand(request(inputs)));
    } catch (error) {
      if ((error as Error).name !== "RouteAlreadyExists") throw error;
      await aws.ec2.send(new ReplaceRouteCommand(request(inputs)));
    }
    const hash = createHash("sha256").update(String(inputs["destinationCidrBlock"])).digest();
    return `r-${text(inputs, "routeTableId")}${hash.readUInt32BE()}`;
  },
  async read(aws, id, known) {
    // An import names the two parts, as the real provider wants it: rtb-…_0.0.0.0/0.
    const [table = "", network] = id.startsWith("r-")
      ? [text(known, "routeTableId"), text(known, "destinationCidrBlock")]
      : id.split("_");
    const found = await orGone(aws.ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [table] })));
    const one = found?.RouteTables?.[0]?.Routes?.find(({ DestinationCidrBlock }) => DestinationCidrBlock === network);
    if (!one) return undefined;
    return {
      routeTableId: table,
      destinationCidrBlock: one.DestinationCidrBlock,
      gatewayId: one.GatewayId,
      natGatewayId: one.NatGatewayId,
      networkInterfaceId: one.NetworkInterfaceId,
      state: one.State,
      origin: one.Origin,
    };
  },
  async update(aws, { inputs }) {
    await aws.ec2.send(new ReplaceRouteCommand(request(inputs)));
  },
  async remove(aws, _id, state) {
    const { RouteTableId, DestinationCidrBlock } = request(state);
    await orGone(aws.ec2.send(new DeleteRouteCommand({ RouteTableId, DestinationCidrBlock })));
  },
};

function request(inputs: Props) {
  return {
    RouteTableId: text(inputs, "routeTableId"),
    DestinationCidrBlock: text(inputs, "destinationCidrBlock"),
    GatewayId: text(inputs, "gatewayId"),
    NatGatewayId: text(inputs, "natGatewayId"),
    NetworkInterfaceId: text(inputs, "networkInterfaceId"),
  };
}
