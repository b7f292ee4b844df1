import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { StoreConflict } from "./conflict.ts";
import { candidacy, type Observation } from "./leaseRules.ts";
import type { Store } from "./store.ts";

export interface LeaseOptions {
  /** Who we are: unique to this run, e.g. the component id. */
  holder: string;
  /** Milliseconds. Renewed each beat, lost after three. */
  beat: number;
  log: Log;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** The right to lead: at most one candidate holds it at any time. */
export interface Lease {
  readonly runner: Runner;
  /** Becomes false by itself when the lease could not be renewed, before another candidate can take over. */
  readonly held: boolean;
  /** Grows with each renewal and each change of the holder: a leader's writes carry it, and the highest one wins. */
  readonly revision: number;
}

/**
 * A candidate for the lease `name`, kept in the store under `lease.<name>`. It takes over when the same revision stood
 * unchanged for three beats of its own clock, so that clocks of different machines are never compared.
 */
export function lease(store: Store, name: string, options: LeaseOptions): Lease {
  const { holder, beat, log, now = () => performance.now() } = options;
  const key = `lease.${name}`;
  let revision = 0;
  let until = Number.NEGATIVE_INFINITY;
  let seen: Observation | undefined;
  const held = () => now() < until;

  const claim = async (based: number) => {
    // Counted from before the write: others see it no earlier than that.
    const began = now();
    revision = await store.compareAndSet(key, { holder }, based);
    if (!held()) log.info({ lease: name, holder, revision }, "leading");
    until = began + 2 * beat;
    seen = undefined;
  };
  const turn = async () => {
    if (held()) return await claim(revision);
    const entry = await store.get(key);
    const mine = (entry?.value as { holder?: unknown } | undefined)?.holder === holder;
    const next = candidacy({ revision: entry?.revision ?? 0, mine, seen, at: now(), patience: 3 * beat });
    seen = next.seen;
    if (next.claim) await claim(entry?.revision ?? 0);
  };
  const attempt = async () => {
    try {
      await turn();
    } catch (error) {
      if (error instanceof StoreConflict) until = Number.NEGATIVE_INFINITY;
      log.debug({ lease: name, error: String(error) }, "the lease could not be taken or renewed");
    }
  };
  const release = async () => {
    if (!held()) return;
    until = Number.NEGATIVE_INFINITY;
    await store.delete(key, revision).catch(() => {});
  };
  const runner = candidate(name, { beat, attempt, release });
  return {
    runner,
    get held() {
      return held();
    },
    get revision() {
      return revision;
    },
  };
}

interface Steps {
  beat: number;
  attempt: () => Promise<void>;
  release: () => Promise<void>;
}

function candidate(name: string, { beat, attempt, release }: Steps): Runner {
  return {
    name: `lease ${name}`,
    async run(stop, ready) {
      // Standing by is being ready.
      ready();
      while (!stop.aborted) {
        const began = performance.now();
        await attempt();
        await pause(Math.max(0, beat - (performance.now() - began)), stop);
      }
      await release();
    },
  };
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", done);
    if (stop.aborted) done();
  });
}
