import { gateType } from "../gateType.ts";

// What the engine tells while it works, one JSON object a line (`--json`), as far as we read it.

/** What happens to a resource, in our words. `adopt` takes in what exists. */
export const deeds = ["create", "adopt", "change", "replace", "delete"] as const;
export type Deed = (typeof deeds)[number];

export interface Change {
  readonly urn: string;
  /** Type token: `aws:ec2/instance:Instance`. */
  readonly type: string;
  /** As the program calls it: `trio-dev-lead-0`. */
  readonly name: string;
  readonly deed: Deed;
  /** Top-level properties that differ. */
  readonly properties: readonly string[];
}

/** Something the engine complains of. */
export interface Complaint {
  /** Name and type of the resource that it is about. */
  readonly name?: string;
  readonly type?: string;
  readonly message: string;
}

export type Told =
  | { readonly kind: "begun"; readonly change: Change }
  | { readonly kind: "done"; readonly change: Change }
  | { readonly kind: "failed"; readonly change: Change }
  | { readonly kind: "complaint"; readonly complaint: Complaint }
  | { readonly kind: "outputs"; readonly outputs: Readonly<Record<string, unknown>> };

interface State {
  readonly outputs?: Record<string, unknown> | null;
}

interface Metadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: State | null;
  readonly new?: State | null;
  readonly diffs?: readonly string[] | null;
}

interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: Metadata };
  readonly resOutputsEvent?: { readonly metadata: Metadata };
  readonly resOpFailedEvent?: { readonly metadata: Metadata };
  readonly diagnosticEvent?: { readonly severity: string; readonly message: string; readonly urn?: string };
}

const words: Readonly<Record<string, Deed>> = {
  create: "create",
  "create-replacement": "replace",
  update: "change",
  delete: "delete",
  "delete-replaced": "delete",
  replace: "replace",
  import: "adopt",
  "import-replacement": "adopt",
};

/** A line of the engine → what it tells; nothing for what is of no interest. What is no JSON is nothing too. */
export function read(line: string): Told[] {
  const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent } = parse(line);
  if (resourcePreEvent) return told("begun", resourcePreEvent.metadata);
  if (resOpFailedEvent) return told("failed", resOpFailedEvent.metadata);
  if (resOutputsEvent?.metadata.type === "pulumi:pulumi:Stack") return outputsOf(resOutputsEvent.metadata);
  if (resOutputsEvent) return told("done", resOutputsEvent.metadata);
  return diagnosticEvent?.severity === "error" ? complaintOf(diagnosticEvent) : [];
}

function parse(line: string): EngineEvent {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return {};
  }
}

function told(kind: "begun" | "done" | "failed", { op, urn, type, diffs }: Metadata): Told[] {
  const deed = words[op];
  // Components, providers and gates are the program's own order: nothing on EC2 corresponds to them.
  if (!deed || /^(tutti|pulumi):/.test(type) || type.startsWith(gateType)) return [];
  return [{ kind, change: { urn, type, name: nameOf(urn), deed, properties: diffs ?? [] } }];
}

function outputsOf({ new: now }: Metadata): Told[] {
  return now?.outputs ? [{ kind: "outputs", outputs: now.outputs }] : [];
}

/** Said last by a run that has failed, whatever the cause was. */
const refrains = /^(update|preview|refresh|destroy|resource \S+) failed$|^preview aborted$/;

function complaintOf({ message, urn }: NonNullable<EngineEvent["diagnosticEvent"]>): Told[] {
  const text = message.trim();
  if (!text || refrains.test(text)) return [];
  const about = urn && !urn.includes("pulumi:pulumi:Stack") ? { name: nameOf(urn), type: typeOf(urn) } : {};
  return [{ kind: "complaint", complaint: { ...about, message: text } }];
}

const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";
