import type { Bus } from "../bus/bus.ts";
import { decode } from "../bus/codec.ts";
import { deaIdOf } from "../bus/deaId.ts";
import type { DeaHeartbeat } from "../bus/messages/instance.ts";
import type { Dialed } from "../bus/nats.ts";
import type { Subject } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { holdings } from "./holdings.ts";
import type { Member } from "./members.ts";
import type { Pulse } from "./pulse.ts";
import type { Roster } from "./roster.ts";
import { sparing } from "./sparing.ts";
import { judge, vouched } from "./vouching.ts";

export interface VoucherOptions {
  bus: Bus;
  /** The bus's own, for messages as they are. */
  connection: Dialed["connection"];
  roster: Pick<Roster, "knowledge">;
  pulse: Pulse;
  /** Milliseconds. */
  beat: number;
  log: Log;
  /** Monotonic milliseconds. */
  now?: () => number;
}

export interface Voucher {
  readonly runner: Runner;
  readonly counts: { vouched: number; refused: number };
}

/**
 * Hears what nodes say of themselves, each under its own name, and says it again where everybody listens, if it is
 * about that very node. Said again is what was understood, not what was sent: two readers of the same bytes may find
 * different things in them.
 */
export function voucher(options: VoucherOptions): Voucher {
  const { bus, connection, roster, pulse, beat, log, now = () => performance.now() } = options;
  const held = holdings({ beat, now });
  const warn = sparing(log, { most: 10, time: 30 * beat, now });
  const counts = { vouched: 0, refused: 0 };
  const [later, deaOf] = [postponing(beat), deaIds()];
  const refuse = (node: string, subject: string, why: string) => {
    counts.refused++;
    warn({ node, subject, why }, "a message was not passed on: a node may only speak of itself");
  };
  const decide = (row: Subject<unknown>, node: string, text: string) => {
    const payload = understood(row, text);
    if (payload instanceof Error) return refuse(node, row.name, payload.message);
    const member = roster.knowledge.members.get(node);
    const verdict = judge({ row, payload, node, member, dea: member ? deaOf(member) : "" }, held);
    if (verdict === "wait") return later.act(() => decide(row, node, text));
    if (verdict !== "true") return refuse(node, row.name, verdict.false);
    if (row.name === subjects.deaHeartbeat.name) learn(payload as DeaHeartbeat);
    counts.vouched++;
    connection.publish(row.name, JSON.stringify(payload));
  };
  const learn = ({ dea, droplets }: DeaHeartbeat) => held.heard(dea, droplets);
  const hear = (subject: string, text: () => string) => {
    const { node, name } = parted(subject);
    const row = vouched.get(name);
    if (row) decide(row, node, text());
    else refuse(node, name, "nobody says that of itself");
  };
  const runner: Runner = {
    name: "voucher",
    async run(stop, ready) {
      const heard = [
        // Each core has to know what all nodes say, whoever of them vouched for it.
        bus.subscribe({ ...subjects.deaHeartbeat, queue: undefined }, learn),
        bus.subscribe({ ...subjects.nodeBeat, queue: undefined }, ({ id }) => pulse.heard(id)),
      ];
      const callback = (error: Error | null, msg: { subject: string; string(): string }) => {
        if (error) log.error({ error: error.message }, "the voucher's subscription was ended");
        else if (!connection.isClosed()) hear(msg.subject, () => msg.string());
      };
      const subscription = connection.subscribe("tutti.v1.by.*.>", { queue: "core", callback });
      await bus.flush();
      ready();
      await stopped(stop);
      later.forget();
      for (const one of heard) one.stop();
      if (!connection.isClosed()) subscription.unsubscribe();
    },
  };
  return { runner, counts };
}

/** Things that are done a beat later, unless they are forgotten. */
function postponing(beat: number) {
  const waiting = new Set<NodeJS.Timeout>();
  return {
    act(what: () => void) {
      const timer = setTimeout(() => {
        waiting.delete(timer);
        what();
      }, beat);
      waiting.add(timer);
    },
    forget() {
      for (const timer of waiting) clearTimeout(timer);
    },
  };
}

/** The ids of the members' DEAs, each made once. */
function deaIds(): (member: Member) => string {
  const known = new WeakMap<Member, string>();
  return (member) => {
    const id = known.get(member) ?? deaIdOf(member);
    known.set(member, id);
    return id;
  };
}

/** `tutti.v1.by.<node>.<subject>` */
function parted(subject: string): { node: string; name: string } {
  const [node = "", ...rest] = subject.split(".").slice(3);
  return { node, name: rest.join(".") };
}

function understood(row: Subject<unknown>, text: string): unknown {
  try {
    return decode(row.payload, text);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
