import type { StagingResult } from "../../bus/messages/staging.ts";
import { at } from "../../bus/subject.ts";
import { subjects } from "../../bus/subjects.ts";
import { sleep } from "../../run/sleep.ts";
import type { Build } from "../records.ts";
import { type StagersSeen, stagersFor } from "./stagersFor.ts";
import type { StagingOptions } from "./staging.ts";
import { taskOf } from "./stagingRequest.ts";

export interface WatchOptions extends StagingOptions {
  build: Build;
  /** Milliseconds since the build began. */
  age: number;
}

export interface Watch {
  uploaded(): void;
}

/** Beats a staging may take; the stager's own limit is a little shorter, so that its reason is the one that is shown. */
export const stagingLimit = 16 * 60;
/** Beats of silence after which it is asked whether a stager is there at all. */
const silence = 30;
/** The same, when all stagers that are there came after the job. */
const shortSilence = 5;

const noStager = "StagerFail/NoStager: no stager took the job: is a node with the role stager up?";
const stagerGone = "StagerFail/StagerGone: the stager that had the job is gone; push again";
const tooLong = "StagerFail/StagingTimeoutError: the staging took too long";

/**
 * Waits for the one answer to a staging. `done` is told once: the answer, or a sentence that says why there is none, or
 * nothing when this controller stops before it comes (the next one resumes).
 */
export function watch(options: WatchOptions, done: (result: StagingResult | string | undefined) => void): Watch {
  const { bus, build, beat, life, age } = options;
  const over = new AbortController();
  const finish = (result: StagingResult | string | undefined) => {
    if (over.signal.aborted) return;
    over.abort();
    answers.stop();
    lines.stop();
    life().removeEventListener("abort", leave);
    done(result);
  };
  const leave = () => finish(undefined);
  const began = Date.now();
  let heard = began;
  let taken = false;
  const answers = bus.subscribe(at(subjects.stagingDone, { task: taskOf(build) }), (result) => finish(result));
  const lines = bus.subscribe(at(subjects.log, { app: build.app }), ({ source }) => {
    if (source !== "STG") return;
    heard = Date.now();
    taken = true;
  });
  life().addEventListener("abort", leave, { once: true });
  sleep(Math.max(0, stagingLimit * beat - age), over.signal).then(() => finish(tooLong));
  lookForStagers(options, {
    over: over.signal,
    heard: () => heard,
    gone: ({ some }) => finish(taken || some ? stagerGone : noStager),
  });
  return {
    uploaded() {
      heard = Date.now();
      taken = true;
      // The answer follows at once; if it was lost, the droplet is there all the same.
      sleep(silence * beat, over.signal).then(() => finish({ task_id: taskOf(build), task_log: "" }));
    },
  };
}

interface Looking {
  over: AbortSignal;
  heard: () => number;
  gone: (seen: StagersSeen) => void;
}

/**
 * A message on the bus may reach nobody, and a stager may die. So while nothing is heard it is asked, now and then, who
 * is there: a stager that was there from the beginning may still have the job waiting; a later one has never heard of it.
 */
async function lookForStagers(options: WatchOptions, { over, heard, gone }: Looking): Promise<void> {
  const { bus, beat, log } = options;
  const ask = stagersFor(options);
  const began = heard();
  // Who was killed with the job and is back cannot have it any more: that is told sooner than silence.
  const patient = (seen: StagersSeen) =>
    seen.some && seen.able.length === 0 && heard() === began ? shortSilence : silence;
  try {
    let seen = await ask();
    const first = new Set(seen.able);
    let misses = 0;
    while (!over.aborted) {
      const wait = patient(seen) * beat;
      await sleep(Math.max(beat, heard() + wait - Date.now()), over);
      if (over.aborted || Date.now() - heard() < wait || !bus.connected) continue;
      seen = await ask();
      misses = seen.able.some((one) => first.has(one)) ? 0 : misses + 1;
      // Twice, because one answer may be lost too.
      if (misses > 1) return gone(seen);
    }
  } catch (error) {
    if (!over.aborted) log.warn({ err: error }, "it cannot be told whether a stager is there");
  }
}
