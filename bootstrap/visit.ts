import { setTimeout as sleep } from "node:timers/promises";
import { type Command, watch } from "./commands.ts";
import { failedOnConsole } from "./consoleBoot.ts";
import { type ContactOptions, contact } from "./contact.ts";
import { BootstrapFault, faultOf } from "./fault.ts";
import { judge, type Verdict } from "./judge.ts";
import { type Picture, pictures } from "./picture.ts";
import type { Answer, Session } from "./ssh.ts";
import { stopped } from "./sshFault.ts";
import type { Target } from "./target.ts";

export interface VisitOptions extends ContactOptions {
  /** Given the first picture of it as a node: what it lacks. */
  readonly settle: (picture: Picture) => Promise<Command | undefined>;
  readonly onFirst: (picture: Picture) => void;
}

export interface Visited {
  readonly session: Session;
  readonly picture: Picture;
  /** What the machine said of what was put on it. */
  readonly settled: readonly string[];
}

/** Comes to a machine, gives it what it lacks, and stays until it is a node that is ready. Rejects with BootstrapFault. */
export async function visit(target: Target, options: VisitOptions): Promise<Visited> {
  const settled: string[] = [];
  for (;;) {
    const session = await contact(target, options).catch(async (error) => {
      throw await withBoot(faultOf(error), target, options);
    });
    try {
      return { session, picture: await attend(session, options, settled), settled };
    } catch (error) {
      session.close();
      const fault = faultOf(error);
      // Machines that boot also reboot, and installing packages restarts their sshd.
      if (!fault.passing || options.stop.aborted || performance.now() > options.deadline) throw fault;
      options.tell(fault.message);
      await sleep(options.pace);
    }
  }
}

/** A machine that cannot be reached may have said on its console what has become of it. */
async function withBoot(fault: BootstrapFault, target: Target, { console }: VisitOptions): Promise<BootstrapFault> {
  if (!console || !target.instance || !/^ssh_(refused|timeout|unreachable|lost)$/.test(fault.code)) return fault;
  const failed = failedOnConsole(await console(target).catch(() => ""));
  if (!failed) return fault;
  const { code, hint, exit, message } = fault;
  const words = `${message}; on its console: ${failed.why}${quoted(failed.lines)}`;
  return new BootstrapFault(words, { code, hint, exit, cause: fault });
}

const quoted = (lines: readonly string[]) => lines.map((line) => `\n    | ${line}`).join("");

/** One connection's worth of it. What it takes is told to `settled` as it happens: a connection that is lost must not lose it. */
async function attend(session: Session, options: VisitOptions, settled: string[]): Promise<Picture> {
  const left = Math.max(1, (options.deadline - performance.now()) / 1000);
  const seen: { now?: Picture; giving?: Promise<void> } = {};
  const over = new AbortController();
  const verdict = await new Promise<Verdict>((resolve, reject) => {
    const take = pictures((picture) => {
      seen.now = picture;
      if (picture.node && !seen.giving) {
        seen.giving = give(session, options, picture).then((lines) => void settled.push(...lines));
        seen.giving.catch(reject);
      }
      const now = judge(picture);
      if (now.state === "waiting") options.tell(now.why);
      else resolve(now);
    });
    const { stop } = options;
    const watching = session.exec(watch({ within: left }), take);
    watching.then((answer) => resolve(ended(answer, seen.now))).catch(reject);
    // The machine ends it by itself; one that hangs does not.
    const late = AbortSignal.any([stop, over.signal]);
    sleep((left + 5) * 1000, undefined, { signal: late, ref: false })
      .then(() => resolve(ended(undefined, seen.now)))
      .catch((error: unknown) => reject(stop.aborted ? stopped() : error));
  }).finally(() => over.abort());
  await seen.giving;
  if (verdict.state !== "ready" || !seen.now) throw notReady(verdict, seen.now);
  return seen.now;
}

async function give(session: Session, options: VisitOptions, picture: Picture): Promise<string[]> {
  options.onFirst(picture);
  const command = await options.settle(picture);
  return command ? await carryOut(session, command) : [];
}

/** Runs a command that has to succeed; resolves to the lines it printed. */
export async function carryOut(session: Session, command: Command): Promise<string[]> {
  const { code, out, err } = await session.exec(command);
  if (code !== 0) throw unfit({ code, out, err }, command.name);
  return out.trim().split("\n").filter(Boolean);
}

function ended(answer: Answer | undefined, picture: Picture | undefined): Verdict {
  if (!picture) throw unfit(answer, "watch");
  const verdict = judge(picture);
  return verdict.state === "waiting" ? { ...verdict, why: `not ready in time: ${verdict.why}` } : verdict;
}

function unfit(answer: Answer | undefined, name: string): BootstrapFault {
  const words = (answer?.err ?? "").trim().split("\n").slice(-3).join("; ");
  if (/^sudo:/m.test(answer?.err ?? ""))
    return new BootstrapFault(`this user may not become root: ${words}`, {
      code: "no_root",
      hint: "log in as a user who may use sudo without a password (--user), or as root",
    });
  const how = answer?.code === undefined ? "did not end in time" : `ended with code ${answer.code}`;
  return new BootstrapFault(`the step ${name} ${how}${words && `: ${words}`}`, {
    code: "step_failed",
    hint: "run the same again: every step may be repeated",
  });
}

function notReady({ why, lines, state }: Verdict, picture: Picture | undefined): BootstrapFault {
  const words = quoted(lines.length > 0 ? lines : (picture?.log ?? []));
  const stranger = picture && !picture.node && state === "failed" && !picture.result;
  return new BootstrapFault(`${why}${words}`, {
    code: stranger ? "not_a_node" : "not_ready",
    hint: stranger
      ? "is that the right machine? tutti up makes nodes on EC2"
      : "look at the machine itself: journalctl --unit tutti --unit tutti-boot; then run the same again",
  });
}
