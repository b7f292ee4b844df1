import type { RoleName } from "../../roles/role.ts";
import type { NodeOutcome } from "../outcome.ts";
import { tagKeys } from "../tags.ts";

// A stack's state as the engine exports it, as far as we read it. Secrets in it are encrypted.

/** A machine that the state knows. */
export interface KnownMachine extends Omit<NodeOutcome, "publicAddress"> {
  readonly urn: string;
  /** True: another one has taken its place, and it has only not been taken away yet. */
  readonly leaving: boolean;
}

export interface StackState {
  /** Of the stack. A secret one is not the value but a mark. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly machines: readonly KnownMachine[];
  /** Nodes whose machine an engine that was cut off was about to make. */
  readonly begun: ReadonlySet<string>;
}

const machineType = "aws:ec2/instance:Instance";
const stackType = "pulumi:pulumi:Stack";

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  /** Another one has taken its place. */
  readonly delete?: boolean;
  /** It is gone already, and another one shall take its place. */
  readonly pendingReplacement?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

interface Exported {
  readonly deployment?: {
    readonly resources?: readonly Resource[] | null;
    readonly pending_operations?: readonly { readonly resource: Resource; readonly type: string }[] | null;
  };
}

/** What `pulumi stack export` prints → what we want of it. */
export function readState(text: string): StackState {
  const { deployment } = JSON.parse(text) as Exported;
  const resources = (deployment?.resources ?? []).filter(({ pendingReplacement }) => !pendingReplacement);
  const machines = resources.filter(({ type, id }) => type === machineType && id);
  const begun = (deployment?.pending_operations ?? []).filter(
    ({ resource, type }) => resource.type === machineType && type === "creating",
  );
  return {
    outputs: resources.find(({ type }) => type === stackType)?.outputs ?? {},
    machines: machines.map(known).filter(({ id }) => id !== ""),
    begun: new Set(begun.map(({ resource }) => nodeOf(resource)).filter(Boolean)),
  };
}

function nodeOf({ inputs, outputs }: Resource): string {
  return tagsOf(inputs)[tagKeys.node] ?? tagsOf(outputs)[tagKeys.node] ?? "";
}

function known(resource: Resource): KnownMachine {
  const { urn, id = "", outputs = {}, inputs = {} } = resource;
  const said = (key: string) => String(outputs[key] ?? inputs[key] ?? "");
  const disk = object(outputs["rootBlockDevice"] ?? inputs["rootBlockDevice"]);
  const market = object(inputs["instanceMarketOptions"]);
  return {
    urn,
    leaving: resource.delete === true,
    id: nodeOf(resource),
    roles: (tagsOf(inputs)[tagKeys.roles] ?? "").split(",").filter(Boolean) as RoleName[],
    zone: said("availabilityZone"),
    type: said("instanceType"),
    spot: market["marketType"] === "spot",
    volume: Number(disk["volumeSize"] ?? 0),
    image: said("ami"),
    instance: id,
    privateAddress: said("privateIp"),
  };
}

const tagsOf = (props: Readonly<Record<string, unknown>> = {}): Record<string, string> =>
  object(props["tags"]) as Record<string, string>;

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
