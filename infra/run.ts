import { pulumi, type Ran } from "./run/engine.ts";
import { type Change, type Complaint, read, type Told } from "./run/events.ts";
import { worse } from "./run/gathered.ts";
import { abandoned, type Lock, locksIn } from "./run/locks.ts";
import type { Site } from "./run/site.ts";
import { readState, type StackState } from "./run/state.ts";

// The one home of running Pulumi's engine. By its command and its JSON, not by the Automation API: that is the same
// command behind half a second of imports, and starts it three times as often.

export type Verb = "preview" | "up" | "refresh" | "destroy";

export interface Watch {
  /** Narrower than the whole stack: `--target`, `--exclude` and the like. */
  readonly flags?: readonly string[];
  /** What the program is told besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of what begins, ends or fails. */
  readonly onTold?: (told: Told) => void;
  /** Given what asks the engine to end. */
  readonly onStop?: (stop: () => void) => void;
  /** Told of a lock that nobody holds any more, before it is taken away. */
  readonly onAbandoned?: (locks: readonly Lock[]) => void;
}

export interface Ended {
  readonly ok: boolean;
  /** What was done, or in a preview would be; one for each resource. */
  readonly changes: readonly Change[];
  /** Of the stack; undefined when the engine did not come so far. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** What the engine complains of. */
  readonly complaints: readonly Complaint[];
  /** Those who hold the stack, when that is why nothing was done. */
  readonly locks: readonly Lock[];
}

const flags: Readonly<Record<Verb, readonly string[]>> = {
  preview: [],
  up: ["--yes", "--skip-preview"],
  refresh: ["--yes", "--skip-preview"],
  // What is left of a stack that has nothing is its name: it goes too.
  destroy: ["--yes", "--skip-preview", "--remove"],
};

/** More than the engine's own eight at a time: it waits for EC2 and hardly works. */
const parallel = "24";

/** Runs the engine on a stack that is there. Does not reject when the engine fails: that is in the answer. */
export async function run(site: Site, verb: Verb, watch: Watch = {}): Promise<Ended> {
  const ended = await once(site, verb, watch);
  if (!abandoned(ended.locks)) return ended;
  watch.onAbandoned?.(ended.locks);
  await pulumi(site, ["cancel", "--yes", site.stack]);
  return await once(site, verb, watch);
}

async function once(site: Site, verb: Verb, { onTold, onStop, flags: more = [], env }: Watch): Promise<Ended> {
  const changes = new Map<string, Change>();
  const complaints: Complaint[] = [];
  let outputs: Ended["outputs"];
  // In a preview nothing is ever done; what begins is what would be.
  const counts = verb === "preview" ? "begun" : "done";
  const take = (told: Told) => {
    if (told.kind === "complaint") complaints.push(told.complaint);
    else if (told.kind === "outputs") outputs = told.outputs;
    else if (told.kind === counts) changes.set(told.change.urn, worse(changes.get(told.change.urn), told.change));
    onTold?.(told);
  };
  const args = [verb, "--json", "--stack", site.stack, "--parallel", parallel, ...flags[verb], ...more];
  const ran = await pulumi(site, args, {
    onLine: (line) => read(line).forEach(take),
    onStop,
    env: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", ...env },
  });
  const locks = locksIn(ran.err);
  if (ran.code !== 0 && complaints.length === 0) complaints.push(...spoken(ran));
  return { ok: ran.code === 0, changes: [...changes.values()], outputs, complaints, locks };
}

/** What the engine says where it comes to no events. */
function spoken({ err, code }: Ran): Complaint[] {
  const text = err.replace(/^error: /gm, "").trim();
  if (code === null) return [{ message: "the engine was killed" }];
  return [{ message: text || `the engine ended with code ${code}` }];
}

/** Outputs of a stack; undefined when there is no such stack. Rejects with EngineError. */
export async function outputsOf(site: Site): Promise<Record<string, unknown> | undefined> {
  const ran = await pulumi(site, ["stack", "output", "--json", "--stack", site.stack]);
  if (ran.code === 0) return JSON.parse(ran.out) as Record<string, unknown>;
  if (/no stack named .* found/.test(ran.err)) return undefined;
  throw new EngineError(ran);
}

/** What the stack's state knows; undefined when there is no such stack. Rejects with EngineError. */
export async function stateOf(site: Site): Promise<StackState | undefined> {
  const ran = await pulumi(site, ["stack", "export", "--stack", site.stack]);
  if (ran.code === 0) return readState(ran.out);
  if (/no stack named .* found/.test(ran.err)) return undefined;
  throw new EngineError(ran);
}

/** Makes a stack. Rejects with EngineError. */
export async function makeStack(site: Site): Promise<void> {
  const ran = await pulumi(site, ["stack", "init", site.stack, "--no-select"]);
  if (ran.code !== 0) throw new EngineError(ran);
}

/** The engine refuses before it has begun. */
export class EngineError extends Error {
  override name = "EngineError";
  readonly complaints: readonly Complaint[];
  constructor(ran: Ran) {
    const complaints = spoken(ran);
    super(complaints[0]?.message);
    this.complaints = complaints;
  }
}
