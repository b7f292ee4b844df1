import type { Picture } from "./picture.ts";

export interface Verdict {
  readonly state: "ready" | "waiting" | "failed";
  /** What it is waiting for, or why it cannot become ready. */
  readonly why: string;
  /** The node's own words about it. */
  readonly lines: readonly string[];
}

const ready: Verdict = { state: "ready", why: "ready", lines: [] };
const waiting = (why: string, lines: readonly string[] = []): Verdict => ({ state: "waiting", why, lines });

/** What a picture says of a node. */
export function judge(picture: Picture): Verdict {
  const { result, node, hasBoot, cloudInit } = picture;
  if (picture.ready) return ready;
  if (result?.state === "failed") return failed(picture, result);
  if (result?.state === "running") return booting(picture);
  if (node) return starting(picture);
  if (cloudInit) return waiting("cloud-init is at work");
  if (hasBoot) return waiting("the boot script has not begun");
  return { state: "failed", why: "this machine is no node: it has no /etc/tutti/node.json", lines: [] };
}

function failed({ steps, log }: Picture, { step, exit }: NonNullable<Picture["result"]>): Verdict {
  const words = steps.findLast(({ name }) => name === step)?.lines ?? [];
  return { state: "failed", why: `boot step ${step} failed with exit code ${exit}`, lines: words.length ? words : log };
}

function booting(picture: Picture): Verdict {
  const { steps, running } = picture;
  // The last step of all waits for the agent: what that waits for says more.
  if (running === "ready" && picture.components.length > 0) return starting(picture);
  const done = steps.filter(({ name }) => name !== running).length;
  return waiting(`boot step ${running ?? "entry"} runs (${done} done)`, steps.at(-1)?.lines);
}

function starting({ agentLives, components, log }: Picture): Verdict {
  if (!agentLives) return waiting("the agent does not run", log);
  const late = components.filter(({ state }) => state !== "ready");
  const said = late.map(({ name, state, reason }) => (reason ? `${name} (${reason})` : `${name} ${state}`));
  return waiting(`agent starting: ${said.join(", ") || "nothing said yet"}`, log);
}
