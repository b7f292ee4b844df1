import type { BootStep } from "../../cloudinit/journal.ts";
import type { Paint } from "../io.ts";
import { ago, span, table, took } from "../show.ts";
import type { Part, Receipts } from "./receipts.ts";

export interface Explaining {
  readonly node: string;
  readonly paint: Paint;
  /** Unix milliseconds. */
  readonly now: number;
}

/** In one word what became of the machine. */
export function standingOf({
  steps,
  result,
  running,
  parts,
  from,
}: Receipts): "ready" | "failing" | "booting" | "silent" {
  if (failed(steps) || result?.state === "failed" || parts.some(({ state }) => state === "failing")) return "failing";
  if (parts.length > 0 && parts.every(({ state }) => state === "ready")) return "ready";
  if (running || parts.length > 0) return "booting";
  if (result?.state === "done") return "ready";
  return steps.length > 0 && from !== "controller" ? "booting" : "silent";
}

/** The first step of the newest boot that failed. */
export function failed(steps: readonly BootStep[]): BootStep | undefined {
  return steps.find(({ exit }) => exit !== 0);
}

const tellers = { console: "its console", ssh: "the machine itself", controller: "the controller" } as const;

/** What became of a machine, for the person who wonders: what failed first, then everything in order. */
export function explainText(receipts: Receipts, about: Explaining): string {
  const { steps, parts, log } = receipts;
  const blocks = [
    [headline(receipts, about)],
    trouble(receipts, about),
    steps.length > 0 ? [stepTable(steps, about)] : [],
    parts.length > 0 ? [partTable(parts, about)] : [],
    standingOf(receipts) !== "ready" && log.length > 0 ? ["The agent's last words:", ...quoted(log)] : [],
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

function headline(receipts: Receipts, { node, paint, now }: Explaining): string {
  const { steps, boots, from, bundle } = receipts;
  const step = failed(steps);
  const words = {
    ready: () => paint("green", "is ready"),
    failing: () =>
      step
        ? `${paint("red", "failed")} at the step ${step.name} (exit ${step.exit}), ${ago(Date.parse(step.at), now)}`
        : `${paint("red", "fails")}: ${failing(receipts)}`,
    booting: () => `${paint("yellow", "is on its way")}${underWay(receipts)}`,
    silent: () => "has told nothing of itself yet",
  } as const;
  const nth = boots > 1 ? `, boot ${boots} of those it remembers` : "";
  return `${paint("bold", node)} ${words[standingOf(receipts)]()} (says ${tellers[from]}${nth}${bundle && `, agent ${bundle}`})`;
}

function failing({ parts, result }: Receipts): string {
  const bad = parts.filter(({ state }) => state === "failing");
  if (bad.length === 0) return `the boot script itself ended with ${result?.exit}`;
  return bad.map(({ name, reason }) => `${name}${reason ? ` (${reason})` : ""}`).join(", ");
}

function underWay({ running, steps, parts }: Receipts): string {
  if (running) return `: at the step ${running.name}`;
  const waiting = parts.filter(({ state }) => state !== "ready");
  if (waiting.length > 0) return `: waiting for ${waiting.map(({ name }) => name).join(", ")}`;
  return steps.length > 0 ? `: ${steps.at(-1)?.name} was the last step so far` : "";
}

/** What a person needs first: the lines of what failed, and what can be done about it. */
function trouble(receipts: Receipts, { paint }: Explaining): string[] {
  const { steps, running, parts } = receipts;
  const step = failed(steps);
  const lines = step ? step.lines : (running?.lines ?? []);
  const hints = parts.flatMap(({ hint }) => hint ?? []);
  const advice = step ? (nextSteps[step.name] ?? usualStep) : hints[0];
  return [...quoted(lines), ...(advice ? [`${paint("cyan", "next:")} ${advice}`] : [])];
}

const again = "then on the machine: systemctl restart tutti-boot";
const usualStep = `mend it, ${again}`;
const nextSteps: Readonly<Record<string, string>> = {
  packages: `can it reach the distribution's packages (network, proxy in /etc/tutti/boot.env)? Mend it, ${again}`,
  facts: `does the metadata service answer it (version 2, hop limit)? Mend it, ${again}`,
  bundle: `can it reach the bucket, and is the bundle for its processor? Mend it, ${again}`,
  identity: `may its instance profile read the cluster's identity in the bucket? Mend it, ${again}`,
  start: "on the machine: systemctl status tutti, journalctl --unit tutti",
  ready: "on the machine: journalctl --unit tutti; what the components wait for is below",
};

function stepTable(steps: readonly BootStep[], { paint }: Explaining): string {
  const rows = steps.map(({ name, exit, ms, input, at }) => [
    name,
    exit === 0 ? paint("green", "ok") : paint("red", `exit ${exit}`),
    took(ms),
    input,
    at,
  ]);
  return table(["STEP", "END", "TIME", "INPUT", "AT"], rows, "");
}

function partTable(parts: readonly Part[], { paint, now }: Explaining): string {
  const rows = parts.map(({ name, state, since, reason = "", hint = "" }) => [
    name,
    paint(state === "ready" ? "green" : state === "failing" ? "red" : "yellow", state),
    since === undefined ? "" : span(now / 1000 - since),
    [reason, hint].filter(Boolean).join("; "),
  ]);
  return table(["COMPONENT", "STATE", "FOR", "WHY"], rows, "");
}

const quoted = (lines: readonly string[]) => lines.map((line) => `  | ${line}`);
