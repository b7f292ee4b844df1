import { randomBytes } from "node:crypto";
import type { JoinAnswer } from "../bus/messages/membership.ts";
import { type Dialed, dialOnce } from "../bus/nats.ts";
import { at, type Subject } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type WhyNot, whyNot } from "../bus/whyNot.ts";
import { type Log, silent } from "../run/log.ts";
import type { NodeKeys } from "./keys.ts";
import type { Newcomer } from "./newcomer.ts";

/** What became of a question to the cores. */
export type Outcome =
  | { readonly kind: "answered"; readonly core: string; readonly answer: JoinAnswer }
  /** No core has answered: what stood in the way of each. */
  | { readonly kind: "unanswered"; readonly obstacles: readonly CoreObstacle[] };

export interface CoreObstacle extends WhyNot {
  readonly core: string;
}

export interface Asking {
  readonly spec: Newcomer;
  readonly keys: NodeKeys;
  readonly log: Log;
  readonly stop?: AbortSignal;
}

/** Shows the claim and asks to be let in. Whoever asks so is nobody yet: the bus lets it do nothing else. */
export function askToJoin(asking: Asking): Promise<Outcome> {
  const { spec, keys } = asking;
  const { id: node, address, index, join } = spec;
  const user = `joiner.${randomBytes(12).toString("hex")}`;
  const payload = {
    ...{ node, address, index, claim: join.claim, instance: join.instance },
    ...{ key: keys.key, tlsKey: keys.tlsPublic },
  };
  return askEach(asking, { user }, ({ bus }) => bus.request(subjects.join, payload, { timeout: patience }));
}

/** Asks for a new certificate: as a member, which needs no claim. */
export function askToRenew(asking: Asking): Promise<Outcome> {
  const { spec, keys } = asking;
  const { id: node, address, join } = spec;
  const subject: Subject<unknown, JoinAnswer> = at(subjects.nodeRenew, { node }) as Subject<unknown, JoinAnswer>;
  const payload = { instance: join.instance, address, tlsKey: keys.tlsPublic };
  const ask = ({ bus }: Dialed) => bus.request(subject, payload, { timeout: patience });
  return askEach(asking, { user: node, seed: keys.seed }, ask);
}

// Milliseconds for an answer: a core writes down whom it lets in before it says so.
const patience = 5000;

type Ask = (dialed: Dialed) => Promise<JoinAnswer | undefined>;

/** One core after the other, in no order, until one has answered. */
async function askEach({ spec, stop }: Asking, as: { user: string; seed?: string }, ask: Ask): Promise<Outcome> {
  const obstacles: CoreObstacle[] = [];
  for (const core of shuffled(spec.join.cores)) {
    stop?.throwIfAborted();
    const outcome = await askOne({ spec, as, ask, core, ...(stop ? { stop } : {}) });
    if (!("obstacle" in outcome)) return { kind: "answered", core, answer: outcome };
    obstacles.push({ core, ...outcome });
  }
  return { kind: "unanswered", obstacles };
}

interface AskingOne {
  spec: Newcomer;
  as: { user: string; seed?: string };
  ask: Ask;
  core: string;
  stop?: AbortSignal;
}

async function askOne({ spec, as, ask, core, stop }: AskingOne): Promise<JoinAnswer | WhyNot> {
  try {
    const dialed = await dialOnce({
      servers: `tls://${core.includes(":") ? `[${core}]` : core}:${spec.ports.nats}`,
      ca: spec.join.ca,
      name: `identity of ${spec.id}`,
      // What goes wrong is told by us, once, in words.
      log: silent,
      ...as,
      ...(stop ? { stop } : {}),
    });
    try {
      const answer = await ask(dialed);
      return answer ?? { obstacle: "silent", text: "the bus is there, but its core does not answer yet" };
    } finally {
      await dialed.close();
    }
  } catch (error) {
    stop?.throwIfAborted();
    return whyNot(error);
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((one) => ({ one, lot: Math.random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ one }) => one);
}
