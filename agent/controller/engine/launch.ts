import type { Bus } from "../../bus/bus.ts";
import type { DeaStart, StartAnswer } from "../../bus/messages/instance.ts";
import { at } from "../../bus/subject.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Log } from "../../run/log.ts";
import type { Attention } from "./attention.ts";
import { bounded } from "./bounded.ts";
import type { Deas } from "./deas.ts";
import type { Finder } from "./find.ts";
import { advertised, allOffers } from "./offers.ts";
import { patience } from "./options.ts";
import { fits, type Offer, occupy, place, shortage, type Wanted } from "./place.ts";

/** Instances of one process to start. `message` is asked again for each: it is undefined when the slot is no longer wanted. */
export interface Batch extends Wanted {
  name: string;
  version: string;
  sha: string;
  message(index: number): DeaStart | undefined;
}

/** What became of the slots: started, or without room and why. Slots already in flight or no longer wanted are in neither. */
export interface Launched {
  started: number[];
  homeless: { index: number; why: string }[];
}

export interface LaunchOptions {
  bus: Bus;
  log: Log;
  beat: number;
  deas: Deas;
  attention: Attention;
  finder: Finder;
  random?: () => number;
}

/** Starts sent at the same time: enough to keep DEAs busy, few enough not to flood the bus. */
const width = 16;

/** Finds places for instances and has them started there. Two starts of one slot never fly at the same time. */
export function launcher(options: LaunchOptions): (batch: Batch, indices: readonly number[]) => Promise<Launched> {
  const flying = new Set<string>();
  return async (batch, indices) => {
    const key = (index: number) => `${batch.droplet}/${batch.version}/${index}`;
    const mine = [...new Set(indices)].filter((index) => !flying.has(key(index)));
    const result: Launched = { started: [], homeless: [] };
    if (mine.length === 0) return result;
    for (const index of mine) flying.add(key(index));
    try {
      const offers = await discover(options, batch);
      await bounded(mine, width, async (index) => {
        const outcome = await launch(options, { batch, offers, index });
        if (outcome === "started") result.started.push(index);
        if (outcome === "homeless") result.homeless.push({ index, why: shortage(batch, offers) });
        flying.delete(key(index));
      });
    } finally {
      for (const index of mine) flying.delete(key(index));
    }
    return result;
  };
}

/** One question for the whole batch; it ends when every DEA that can have room has answered. */
async function discover({ bus, beat, deas, attention }: LaunchOptions, batch: Batch): Promise<Offer[]> {
  const known = deas.alive(attention.now());
  const able = known.filter((dea) => fits(batch, advertised(dea, batch.droplet, false)));
  const limits = { mem: batch.memory, disk: batch.disk, fds: 1024 };
  const question = { droplet: batch.droplet, name: batch.name, limits, runtime: "", prod: false, sha: batch.sha };
  const answers = await bus.gather(
    subjects.deaDiscover,
    { ...question, gather: true },
    { timeout: 2 * patience(beat), expected: known.length > 0 ? able.length : undefined },
  );
  return allOffers(answers, deas.alive(attention.now()), batch);
}

interface Attempt {
  batch: Batch;
  offers: Offer[];
  index: number;
}

async function launch(options: LaunchOptions, attempt: Attempt): Promise<"started" | "homeless" | "unwanted"> {
  const { batch, offers, index } = attempt;
  for (;;) {
    const message = batch.message(index);
    if (!message) return "unwanted";
    const offer = place(batch, offers, options.random);
    if (!offer) return "homeless";
    if (await startOn(options, { ...attempt, offer, message })) return "started";
  }
}

async function startOn(
  options: LaunchOptions,
  { batch, offer, message }: Attempt & { offer: Offer; message: DeaStart },
) {
  const { bus, beat, deas, finder, log } = options;
  occupy(offer, batch);
  deas.take(offer.id, batch);
  const subject = at(subjects.deaUuidStart, { uuid: offer.id });
  const answer: StartAnswer | undefined = await bus.request(subject, message, { timeout: patience(beat) });
  // A DEA of another make never answers a start: silence means nothing. From one that answers, it means a lost message.
  if (answer?.ok || (!answer && !offer.ack)) return true;
  if (!answer && (await isThere(finder, message))) return true;
  log.warn(
    { dea: offer.id, droplet: message.droplet, index: message.index, reason: answer?.reason ?? "no answer" },
    "a DEA did not take an instance, trying the next",
  );
  offer.closed = true;
  occupy(offer, batch, -1);
  deas.give(offer.id, batch);
  return false;
}

/** Only the answer may have been lost: then trying the next DEA would start the slot twice. */
async function isThere(finder: Finder, { droplet, version, index }: DeaStart): Promise<boolean> {
  const states = ["STARTING" as const, "RUNNING" as const];
  return (await finder.find(droplet, { version, indices: [index], states, expected: 1 })).length > 0;
}
