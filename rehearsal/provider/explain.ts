import { DescribeInstanceTypeOfferingsCommand } from "@aws-sdk/client-ec2";
import { architectureOf } from "../../roles/instanceTypes.ts";
import type { Aws } from "./aws.ts";
import { codeOf } from "./retry.ts";

/** What went wrong, as a person reads it: what was being done, the API's word and sentence, the next step. */
export async function explain(error: unknown, about: string, aws: Aws | undefined): Promise<string> {
  const { message = String(error) } = error as Error;
  const code = codeOf(error);
  const said = [about, code && code !== "Error" ? code : "", message].filter(Boolean).join(": ");
  const hint = await nextStep(error, aws);
  return hint ? `${said}\nhint: ${hint}` : said;
}

const steps: Record<string, string> = {
  AuthFailure: "check the credentials: aws:accessKey and aws:secretKey, AWS_PROFILE, or AWS_ACCESS_KEY_ID",
  InvalidClientTokenId: "check the credentials: aws:accessKey and aws:secretKey, AWS_PROFILE, or AWS_ACCESS_KEY_ID",
  UnauthorizedOperation: "the credentials are good and may not do this: ask who manages the account",
  InvalidAMIID: "name an image that this region has",
  ECONNREFUSED: "nobody listens there: start the rehearsal's API, or check AWS_ENDPOINT_URL",
};

async function nextStep(error: unknown, aws: Aws | undefined): Promise<string | undefined> {
  const code = codeOf(error);
  if (code === "InsufficientInstanceCapacity" && aws) return await elsewhere((error as Error).message, aws);
  return steps[code] ?? steps[code.split(".")[0] ?? ""];
}

/** `We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-central-1a).` */
export function scarce(message: string): { type: string; zone: string } | undefined {
  const type = /sufficient (\S+) capacity/.exec(message)?.[1];
  const zone = /you requested \(([^)]+)\)/.exec(message)?.[1];
  return type && zone ? { type, zone } : undefined;
}

/** Types of the same letter, size and processor, t3.small → t2.small, t3a.small: an image is for one processor. */
export function alike(type: string, types: readonly string[]): string[] {
  const [family = "", size = ""] = type.split(".");
  const same = (other: string) => other[0] === family[0] && other.endsWith(`.${size}`) && other !== type;
  return types.filter((other) => same(other) && architectureOf(other) === architectureOf(type)).sort();
}

async function elsewhere(message: string, aws: Aws): Promise<string | undefined> {
  const found = scarce(message);
  if (!found) return undefined;
  const { type, zone } = found;
  const zones = (await offerings(aws, { "instance-type": type })).map(({ Location }) => Location ?? "");
  const types = (await offerings(aws, { location: zone })).map(({ InstanceType }) => String(InstanceType));
  const other = zones.filter((name) => name !== zone).sort();
  return `${type} is not to be had in ${zone} now: try zone ${either(other)}, or type ${either(alike(type, types))}`;
}

const either = (names: readonly string[]): string =>
  names.slice(0, 5).join(" or ") || "none (this one is the only one)";

async function offerings(aws: Aws, filter: Record<string, string>) {
  const Filters = Object.entries(filter).map(([Name, value]) => ({ Name, Values: [value] }));
  const command = new DescribeInstanceTypeOfferingsCommand({ LocationType: "availability-zone", Filters });
  return (await aws.ec2.send(command)).InstanceTypeOfferings ?? [];
}
