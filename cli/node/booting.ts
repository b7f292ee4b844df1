import type { Session } from "../../bootstrap/ssh.ts";
import { readJournal } from "../../cloudinit/journal.ts";
import { Fault } from "../fault.ts";
import type { Io } from "../io.ts";
import { liveLine } from "../live.ts";
import { span, took } from "../show.ts";
import { failed } from "./explainText.ts";
import { fromConsole } from "./receipts.ts";
import { boot } from "./steps.ts";

export interface Booting {
  readonly io: Io;
  readonly node: string;
  readonly root: string;
  /** Seconds in which the agent has to be ready. */
  readonly within: number;
}

/** Runs the boot script on a machine and tells of each step as it is through. Throws a Fault with what failed. */
export async function bootNode(session: Session, { io, node, root, within }: Booting): Promise<void> {
  const line = liveLine(io);
  let text = "";
  let told = 0;
  let since = performance.now();
  const hear = (more: string) => {
    text += more;
    const steps = readJournal(text);
    for (const { name, exit, ms } of steps.slice(told)) {
      const mark = exit === 0 ? io.paint("green", "✓") : io.paint("red", "✗");
      line.note(`${mark} ${node}: ${name.padEnd(10)} ${took(ms).padStart(7)}`);
      since = performance.now();
    }
    told = steps.length;
  };
  line.show(() => `${node}: ${told} steps done, the next for ${span((performance.now() - since) / 1000)}`);
  try {
    const { code, err } = await session.exec(boot(root, within), hear);
    if (code !== 0) throw unborn(node, text, err);
  } finally {
    line.end();
  }
}

function unborn(node: string, text: string, err: string): Fault {
  const { steps } = fromConsole(text);
  const step = failed(steps);
  const lines = (step?.lines ?? err.trim().split("\n").slice(-4)).map((one) => `\n    | ${one}`).join("");
  const what = step ? `failed at the step ${step.name} (exit ${step.exit})` : "did not come to its end";
  return new Fault(`the boot of ${node} ${what}${lines}`, {
    code: "boot_failed",
    hint: `mend it and run the same again: what is done is not done twice; tutti node explain ${node} tells more`,
    details: { node, step: step?.name, steps },
  });
}
