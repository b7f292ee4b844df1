import {
  AssociateRouteTableCommand,
  CreateRouteTableCommand,
  DeleteRouteTableCommand,
  DescribeRouteTablesCommand,
  DisassociateRouteTableCommand,
  ReplaceRouteTableAssociationCommand,
} from "@aws-sdk/client-ec2";
import { type Kind, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const routeTable: Kind = {
  token: "aws:ec2/routeTable:RouteTable",
  tagged: "route-table",
  fields: { vpcId: { required: true, replaces: true }, tags: {} },
  async create(aws, { inputs, tags }) {
    const TagSpecifications = [{ ResourceType: "route-table" as const, Tags: [...tags] }];
    const made = await aws.ec2.send(new CreateRouteTableCommand({ VpcId: text(inputs, "vpcId"), TagSpecifications }));
    return made.RouteTable?.RouteTableId ?? "";
  },
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] })));
    const [one] = found?.RouteTables ?? [];
    if (!one) return undefined;
    return {
      vpcId: one.VpcId,
      ownerId: one.OwnerId,
      arn: `arn:aws:ec2:${aws.region}:${one.OwnerId}:route-table/${id}`,
      tags: tagsOf(one.Tags),
      tagsAll: tagsOf(one.Tags),
    };
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DeleteRouteTableCommand({ RouteTableId: id })));
  },
};

export const routeTableAssociation: Kind = {
  token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  fields: {
    subnetId: { replaces: true },
    gatewayId: { replaces: true },
    routeTableId: { required: true },
  },
  async create(aws, { inputs }) {
    const RouteTableId = text(inputs, "routeTableId");
    const found = await aws.ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId ?? ""] }));
    const there = found.RouteTables?.[0]?.Associations?.find(({ SubnetId }) => SubnetId === inputs["subnetId"]);
    if (there?.RouteTableAssociationId) return there.RouteTableAssociationId;
    const place = { SubnetId: text(inputs, "subnetId"), GatewayId: text(inputs, "gatewayId") };
    return (await aws.ec2.send(new AssociateRouteTableCommand({ RouteTableId, ...place }))).AssociationId ?? "";
  },
  async read(aws, id) {
    const Filters = [{ Name: "association.route-table-association-id", Values: [id] }];
    const found = await orGone(aws.ec2.send(new DescribeRouteTablesCommand({ Filters })));
    const [table] = found?.RouteTables ?? [];
    const one = table?.Associations?.find(({ RouteTableAssociationId }) => RouteTableAssociationId === id);
    return one && { subnetId: one.SubnetId, gatewayId: one.GatewayId, routeTableId: table?.RouteTableId };
  },
  async update(aws, { id, inputs }) {
    const RouteTableId = text(inputs, "routeTableId");
    await aws.ec2.send(new ReplaceRouteTableAssociationCommand({ AssociationId: id, RouteTableId }));
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DisassociateRouteTableCommand({ AssociationId: id })));
  },
};
