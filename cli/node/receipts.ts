import { type BootResult, type BootStep, readJournal, readResult } from "../../cloudinit/journal.ts";

export type Source = "console" | "ssh" | "controller";

/** A part of the agent, as it told of itself last. */
export interface Part {
  readonly name: string;
  readonly state: string;
  /** Unix seconds; absent when nobody says. */
  readonly since?: number | undefined;
  readonly reason?: string | undefined;
  readonly hint?: string | undefined;
}

/** What is known of how a machine became a node, or did not. */
export interface Receipts {
  readonly from: Source;
  /** Steps of the newest boot, in order. */
  readonly steps: readonly BootStep[];
  /** How many boots are told of. */
  readonly boots: number;
  /** How the newest one ended; undefined while it runs or when nothing is said. */
  readonly result: BootResult | undefined;
  /** The step that is under way, and its last lines. */
  readonly running?: { readonly name: string; readonly lines: readonly string[] } | undefined;
  /** Empty when nobody has heard of the agent. */
  readonly parts: readonly Part[];
  /** As systemd calls it: active, failed, inactive …; "" when nobody says. */
  readonly agent: string;
  /** The agent's last words. */
  readonly log: readonly string[];
  /** The bundle that is used: `<version>-<12 of its SHA-256>`. */
  readonly bundle: string;
}

const nothing: Omit<Receipts, "from"> = {
  ...{ steps: [], boots: 0, result: undefined, parts: [], agent: "", log: [], bundle: "" },
};

/** From what a machine has printed. Lines of others and torn ones are passed over. */
export function fromConsole(text: string): Receipts {
  return { ...nothing, from: "console", ...newest(readJournal(text), readResult(text)) };
}

/** From what the controller has heard. */
export function fromController(parts: readonly Part[]): Receipts {
  return { ...nothing, from: "controller", parts, agent: "active" };
}

/** From the parts that `receipts.sh` prints. */
export function fromMachine(text: string): Receipts {
  const told = partsOf(text);
  const lines = (name: string) => (told.get(name) ?? []).filter(Boolean);
  const fact = (name: string) =>
    lines("facts")
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? "";
  const said = newest(readJournal(lines("journal").join("\n")), readResult(lines("result").join("\n")));
  const [name = "", ...words] = lines("running");
  const { components } = status(lines("status").join("\n"));
  return {
    ...{ from: "ssh", ...said, parts: components, agent: fact("agent"), log: lines("log"), bundle: fact("current") },
    running: name && !said.result ? { name, lines: words } : undefined,
  };
}

function partsOf(text: string): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  let open: string[] = [];
  for (const line of text.split("\n")) {
    const [, name] = /^== (\w+)$/.exec(line) ?? [];
    if (name === undefined) open.push(line);
    else {
      open = [];
      parts.set(name, open);
    }
  }
  return parts;
}

/** The newest boot's steps; of a step that was repeated within it, the last try. */
function newest(steps: readonly BootStep[], result: BootResult | undefined) {
  const boot = steps.at(-1)?.boot ?? result?.boot;
  const mine = steps.filter((step) => step.boot === boot);
  const last = [...new Map(mine.map((step) => [step.name, step])).values()];
  const boots = new Set(steps.map((step) => step.boot)).size;
  // What failed and was gone through since is history: somebody has mended it, and the next run is under way.
  const mended = last.some(({ name, exit }) => exit === 0 && result?.state === "failed" && name === result.step);
  return { steps: last, boots, result: result?.boot === boot && !mended ? result : undefined };
}

interface Status {
  readonly components: readonly Part[];
}

function status(text: string): Status {
  try {
    const { components = [] } = JSON.parse(text) as { components?: Part[] };
    return { components: Array.isArray(components) ? components : [] };
  } catch {
    return { components: [] };
  }
}
