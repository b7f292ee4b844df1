import { readFileSync } from "node:fs";
import { contact } from "../../bootstrap/contact.ts";
import { gate } from "../../bootstrap/gate.ts";
import type { Answer, Session } from "../../bootstrap/ssh.ts";
import type { Target } from "../../bootstrap/target.ts";
import { identities } from "../bootstrap/identities.ts";
import { keepKnownHost, keptKnownHosts } from "../bootstrap/keep.ts";
import { asker } from "../bootstrap/questions.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import type { MachineStep } from "./steps.ts";

/** The way to machines, by ssh. Everything rejects with a Fault or a BootstrapFault. */
export interface Reach {
  /** Directory that stands for `/` on the machines; "" on real ones. */
  readonly root: string;
  readonly stop: AbortSignal;
  /** A session with a machine that has proven itself by its host key. Closed at the end, if not before. */
  contact(target: Target, tell?: (why: string) => void): Promise<Session>;
}

export interface ReachOptions {
  /** Milliseconds in which a machine has to let us in. */
  readonly within?: number;
}

/** Opens the way for as long as `act` takes; a signal ends what is under way. */
export async function withReach<T>(
  call: Call,
  { within = 10_000 }: ReachOptions,
  act: (reach: Reach) => Promise<T>,
): Promise<T> {
  const { io } = call;
  const keys = await identities(call);
  const over = new AbortController();
  const sessions: Session[] = [];
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const end = () => over.abort();
  for (const signal of signals) process.on(signal, end);
  const console = async (target: Target) => (await import("./onEc2.ts")).printedBy(call, target);
  const shared = {
    ...{ keys, console, ask: asker(io), stop: over.signal, pace: 250, gate: gate(8) },
    knownHosts: keptKnownHosts(io.env) + ownKnownHosts(call),
    onPinned: (target: Target, shown: Parameters<typeof keepKnownHost>[2]) => keepKnownHost(io.env, target, shown),
  };
  try {
    return await act({
      ...{ root: io.env["TUTTI_ROOT"] ?? "", stop: over.signal },
      async contact(target, tell = () => {}) {
        const session = await contact(target, { ...shared, tell, deadline: performance.now() + within });
        sessions.push(session);
        return session;
      },
    });
  } catch (error) {
    if (!over.signal.aborted) throw error;
    throw new Fault("interrupted", {
      code: "interrupted",
      hint: "run the same again: it goes on where it stopped",
      cause: error,
    });
  } finally {
    for (const signal of signals) process.off(signal, end);
    for (const session of sessions) session.close();
  }
}

/** What the person's own ssh knows counts too, and what `--known-hosts` names. */
function ownKnownHosts(call: Call): string {
  const named = call.text("knownHosts");
  const own = `${call.io.env["HOME"] ?? ""}/.ssh/known_hosts`;
  return [named ?? own].map((file) => `\n${textOf(file, named !== undefined)}`).join("");
}

function textOf(file: string, named: boolean): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (!named) return "";
    const hint = "--known-hosts FILE, in the format of OpenSSH";
    throw new Fault(`${file} cannot be read`, { code: "bad_known_hosts", hint, cause });
  }
}

/** Runs a step that has to succeed. */
export async function carryOut(session: Session, step: MachineStep, onOut?: (text: string) => void): Promise<Answer> {
  const answer = await session.exec(step, onOut);
  if (answer.code === 0) return answer;
  throw failed(step, answer);
}

function failed({ name }: MachineStep, { code, err }: Answer): Fault {
  const words = err.trim().split("\n").slice(-3).join("; ");
  if (/^sudo:/m.test(err))
    return new Fault(`this user may not become root there: ${words}`, {
      code: "no_root",
      hint: "log in as a user who may use sudo without a password, or as root",
    });
  if (/No space left|ENOSPC/.test(err))
    return new Fault(`its disk is full: ${words}`, {
      code: "no_space",
      hint: "make room there, then run the same again",
    });
  const how = code === undefined ? "was ended by a signal" : `ended with code ${code}`;
  return new Fault(`the step ${name} ${how}${words && `: ${words}`}`, {
    code: "step_failed",
    hint: "run the same again: every step may be repeated",
  });
}
