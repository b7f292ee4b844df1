import { Fault } from "../run/fault.ts";
import { type Applied, shakesHands } from "./applied.ts";
import type { CommandSocket } from "./commandSocket.ts";
import { additionsOf, type Command, type Replacement, removal, type Step, stepsFor } from "./commands.ts";
import { diff } from "./diff.ts";
import type { Regrouped } from "./pools.ts";
import { slotName, type View } from "./view.ts";

/** Keeps one running HAProxy in agreement with the view. */
export interface Link {
  readonly capacity: number;
  /** Something has changed: told to HAProxy at once, or together with what comes while it is being told. */
  touch(changed: Regrouped): void;
  /** HAProxy answers now: what changed since its files were written is told. */
  attach(socket: CommandSocket): void;
  /** Removes servers that have left and are idle by now. */
  sweep(): Promise<void>;
  /** Asks something beside. Rejects when HAProxy is gone. */
  ask(command: string): Promise<string>;
  close(): void;
}

export interface LinkOptions {
  view: View;
  /** What its files held. */
  applied: Applied;
  /** HAProxy refused something: it is not what we think it is, and must be started afresh. */
  onBroken: (error: unknown) => void;
  /** It does what it is told, but another one, started afresh, would do better. */
  onOutgrown: () => void;
}

export function haproxyLink({ view, applied, onBroken, onOutgrown }: LinkOptions): Link {
  let socket: CommandSocket | undefined;
  let dirty: Regrouped = { slots: new Set(), hosts: new Set() };
  let scheduled = false;
  // One thing after the other: a removal must not meet the return of the same server.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
  const apply = async () => {
    scheduled = false;
    const changed = dirty;
    dirty = { slots: new Set(), hosts: new Set() };
    if (socket) await perform(socket, stepsFor(diff(applied, view, changed), applied));
    const { capacity, patient, backends } = applied;
    const hasty = (slot: number) => slot <= capacity && !patient.has(slot) && shakesHands(backends.get(slot));
    if ([...changed.slots].some(hasty)) onOutgrown();
  };
  const schedule = () => {
    if (!socket || scheduled) return;
    scheduled = true;
    setImmediate(() => inTurn(apply).catch(onBroken));
  };
  return {
    capacity: applied.capacity,
    touch({ slots, hosts }) {
      for (const slot of slots) dirty.slots.add(slot);
      for (const host of hosts) dirty.hosts.add(host);
      schedule();
    },
    attach(answering) {
      socket = answering;
      schedule();
    },
    sweep: () => inTurn(async () => socket && (await remove(socket, applied))),
    async ask(command) {
      const [answer = ""] = (await socket?.ask([command])) ?? [];
      return answer;
    },
    close: () => socket?.close(),
  };
}

async function perform(socket: CommandSocket, steps: readonly Step[]) {
  let pending: Command[] = [];
  for (const step of steps) {
    if ("text" in step) {
      pending.push(step);
      continue;
    }
    await say(socket, pending);
    pending = [];
    await replace(socket, step);
  }
  await say(socket, pending);
}

async function say(socket: CommandSocket, commands: readonly Command[]) {
  const answers = await socket.ask(commands.map(({ text }) => text));
  for (const [i, { text, ok }] of commands.entries()) {
    const answer = answers[i] ?? "";
    if (ok.test(answer)) continue;
    const said = answer.trim().split("\n")[0];
    throw new Fault(`HAProxy refused "${text.slice(0, 120)}": ${said}`, { code: "haproxy_refused" });
  }
}

async function replace(socket: CommandSocket, { map, lines }: Replacement) {
  const [answer = ""] = await socket.ask([`prepare map ${map}.map`]);
  const version = `@${/\d+/.exec(answer)?.[0]} `;
  await say(
    socket,
    additionsOf(
      lines.map((line) => ({ map, line })),
      version,
    ),
  );
  await say(socket, [{ text: `commit map ${version}${map}.map`, ok: /^\s*$/ }]);
}

async function remove(socket: CommandSocket, applied: Applied) {
  for (const [slot, { servers }] of applied.backends) {
    const names = [...servers].flatMap(([name, { leaving }]) => (leaving ? [name] : []));
    const commands = names.map((name) => removal(`${slotName(slot)}/${name}`));
    const answers = await socket.ask(commands.map(({ text }) => text));
    for (const [i, name] of names.entries()) if (commands[i]?.ok.test(answers[i] ?? "")) servers.delete(name);
    if (servers.size === 0 && applied.backends.get(slot)?.app === undefined) applied.backends.delete(slot);
  }
}
