import { DescribeAvailabilityZonesCommand, DescribeImagesCommand, type Image } from "@aws-sdk/client-ec2";
import type { Aws } from "./aws.ts";
import { type Invoke, list, type Props, text } from "./kind.ts";
import { tagsOf } from "./marks.ts";

interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

const filters = (args: Props) =>
  ((args["filters"] ?? []) as Filter[]).map(({ name, values }) => ({ Name: name, Values: [...values] }));

async function getAmi(aws: Aws, args: Props): Promise<Props> {
  const [Owners, Filters] = [list(args, "owners"), filters(args)];
  const { Images = [] } = await aws.ec2.send(
    new DescribeImagesCommand({ ...(Owners.length > 0 && { Owners }), ...(Filters.length > 0 && { Filters }) }),
  );
  const regex = text(args, "nameRegex");
  const found = regex ? Images.filter(({ Name = "" }) => new RegExp(regex).test(Name)) : Images;
  const newest = [...found].sort((a, b) => (b.CreationDate ?? "").localeCompare(a.CreationDate ?? ""));
  const [one] = newest;
  const asked = [Owners.length > 0 ? `owner ${Owners.join(", ")}` : "", ...Filters.map((f) => `${f.Name} ${f.Values}`)];
  if (!one) throw new Error(`no image in ${aws.region} matches: ${asked.filter(Boolean).join("; ")}`);
  if (newest.length > 1 && args["mostRecent"] !== true)
    throw new Error(`${newest.length} images match ${asked.join("; ")}: ask for more, or for the mostRecent`);
  return { ...args, ...face(aws, one) };
}

function face(aws: Aws, one: Image): Props {
  return {
    id: one.ImageId,
    imageId: one.ImageId,
    arn: `arn:aws:ec2:${aws.region}::image/${one.ImageId}`,
    name: one.Name,
    description: one.Description ?? "",
    architecture: one.Architecture,
    creationDate: one.CreationDate,
    ownerId: one.OwnerId,
    state: one.State,
    rootDeviceName: one.RootDeviceName,
    rootDeviceType: one.RootDeviceType,
    virtualizationType: one.VirtualizationType,
    hypervisor: one.Hypervisor,
    public: one.Public,
    blockDeviceMappings: [],
    productCodes: [],
    region: aws.region,
    tags: tagsOf(one.Tags),
  };
}

async function getAvailabilityZones(aws: Aws, args: Props): Promise<Props> {
  const Filters = filters(args);
  const found = await aws.ec2.send(new DescribeAvailabilityZonesCommand(Filters.length > 0 ? { Filters } : {}));
  const state = text(args, "state");
  const zones = (found.AvailabilityZones ?? []).filter(({ State }) => !state || State === state);
  const names = zones.map(({ ZoneName }) => ZoneName);
  const zoneIds = zones.map(({ ZoneId }) => ZoneId);
  return { ...args, id: aws.region, names, zoneIds, groupNames: [aws.region], region: aws.region };
}

async function getCallerIdentity(aws: Aws): Promise<Props> {
  const body = new URLSearchParams({ Action: "GetCallerIdentity", Version: "2011-06-15" });
  const answer = await aws.ask("sts", "/", { method: "POST", body });
  const field = (name: string) => new RegExp(`<${name}>([^<]*)`).exec(answer)?.[1] ?? "";
  const accountId = field("Account");
  return { id: accountId, accountId, arn: field("Arn"), userId: field("UserId") };
}

async function getRegion(aws: Aws, args: Props): Promise<Props> {
  const region = text(args, "region") ?? aws.region;
  return { id: region, region, name: region, description: region, endpoint: `ec2.${region}.amazonaws.com` };
}

export const invokes: readonly Invoke[] = [
  { token: "aws:ec2/getAmi:getAmi", call: getAmi },
  { token: "aws:index/getAvailabilityZones:getAvailabilityZones", call: getAvailabilityZones },
  { token: "aws:index/getCallerIdentity:getCallerIdentity", call: getCallerIdentity },
  { token: "aws:index/getRegion:getRegion", call: getRegion },
];
