import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { capacityFor, runsLow } from "./capacity.ts";
import type { ConfigOptions } from "./config.ts";
import { type Generation, launch } from "./generation.ts";
import { end, findOrphan, noteServing } from "./orphan.ts";
import type { Regrouped } from "./pools.ts";
import { frontendStats, noTotals, sum, type Totals } from "./stats.ts";
import type { View } from "./view.ts";

/** HAProxy as the router sees it: always there, always what the view says. */
export interface Proxy {
  readonly runner: Runner;
  /** Something of the view has changed. */
  touch(changed: Regrouped): void;
  /** Asks HAProxy how it is: keeps its counters and removes what has left. Rejects when there is no answer. */
  check(): Promise<void>;
  /** Counters since this router started, over all processes. */
  stats(): { totals: Totals; connections: number; requests_per_sec: number };
  ask(command: string): Promise<string>;
  readonly reloads: number;
}

export interface ProxyOptions {
  haproxy: string;
  /** Absolute path without symbolic links. */
  home: string;
  config: ConfigOptions;
  /** Backends without an app to keep ready. */
  spareSlots: number;
  view: View;
  logFd: number;
  beat: number;
  log: Log;
}

// A reload leaves the old process to finish what it has begun. More of them than this are not kept.
const mostDraining = 8;
// Milliseconds in which HAProxy must answer its command socket.
const patience = 10_000;

export function proxy(options: ProxyOptions): Proxy {
  return new Supervisor(options);
}

class Supervisor implements Proxy {
  readonly runner: Runner = { name: "haproxy", run: (stop, ready) => this.#run(stop, ready) };
  reloads = 0;
  readonly #options: ProxyOptions;
  readonly #alive = new Set<Generation>();
  #current: Generation | undefined;
  #number = 0;
  #reload = Promise.withResolvers<void>();
  #before: Totals = noTotals;
  #now = { totals: noTotals, connections: 0, requests_per_sec: 0 };

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  touch(changed: Regrouped) {
    for (const one of this.#alive) one.link.touch(changed);
    const link = this.#current?.link;
    if (link && runsLow(link.capacity, this.#options)) this.#reload.resolve();
  }

  async check() {
    const one = this.#current;
    if (!one) throw new Error("HAProxy is not running");
    const late = setTimeout(() => one.pid && end(one.pid, "SIGKILL"), patience);
    try {
      this.#now = frontendStats(await one.link.ask("show stat public 1 -1"));
      await one.link.sweep();
    } finally {
      clearTimeout(late);
    }
  }

  stats() {
    return { ...this.#now, totals: sum(this.#before, this.#now.totals) };
  }

  async ask(command: string) {
    return (await this.#current?.link.ask(command)) ?? "";
  }

  async #run(stop: AbortSignal, ready: () => void) {
    const { beat, log, home } = this.#options;
    let old: { pid: number; socket: string } | undefined = await findOrphan(home);
    if (old) log.info({ pid: old.pid }, "taking over from the HAProxy of an agent that was killed");
    let failures = 0;
    try {
      while (!stop.aborted) {
        this.#reload = Promise.withResolvers();
        const began = performance.now();
        const error = await this.#serve(old, stop, ready);
        if (stop.aborted) return;
        failures = performance.now() - began > 10 * beat ? 0 : failures + 1;
        if (error) log.warn({ error: error.message }, "HAProxy ended; starting it again");
        if (error && !this.#current && old) end(old.pid, "SIGKILL");
        if (error && failures > 5 && !this.#everReady) throw error;
        old = this.#takeOver();
        // The first time at once; a HAProxy that does not stay up is not tried in a tight loop.
        if (error && failures > 1) await sleep(Math.min(10 * beat, (beat / 8) * 2 ** failures), stop);
      }
    } finally {
      await Promise.all([...this.#alive].map((one) => one.running.stop()));
    }
  }

  #everReady = false;

  /** One generation: until it ends (the error), until another should take over, or until the stop. */
  async #serve(old: { pid: number; socket: string } | undefined, stop: AbortSignal, ready: () => void) {
    const one = await this.#launch(old);
    const ended = one.running.exited.then(
      () => undefined,
      (error: Error) => error,
    );
    const failed = await Promise.race([one.running.ready.then(() => false).catch(() => true), stopped(stop)]);
    if (failed !== false) return await ended;
    this.#became(one);
    if (one.pid) await noteServing(this.#options.home, { ...one, pid: one.pid, port: this.#options.config.port });
    this.#everReady = true;
    ready();
    this.touch({ slots: new Set(), hosts: new Set() });
    return await Promise.race([ended, this.#reload.promise, stopped(stop)]).then((error) => error ?? undefined);
  }

  async #launch(old: { pid: number; socket: string } | undefined): Promise<Generation> {
    const { spareSlots, view } = this.#options;
    const onBroken = (error: unknown) => {
      this.#options.log.warn({ error: String(error) }, "HAProxy did not do what it was told; starting it afresh");
      this.#reload.resolve();
    };
    const one = await launch({
      ...this.#options,
      number: ++this.#number,
      capacity: capacityFor(view.highest, spareSlots),
      old,
      onBroken,
    });
    this.#alive.add(one);
    one.running.exited.catch(() => {}).finally(() => this.#alive.delete(one));
    return one;
  }

  #became(one: Generation) {
    if (this.#current) this.reloads++;
    this.#before = sum(this.#before, this.#now.totals);
    this.#now = { ...this.#now, totals: noTotals };
    this.#current = one;
    const draining = [...this.#alive].filter((other) => other !== one);
    for (const other of draining.slice(0, -mostDraining)) other.running.stop();
  }

  /** Whose sockets the next one takes over: those of the current, if it lives. */
  #takeOver() {
    const one = this.#current;
    if (one && !this.#alive.has(one)) this.#current = undefined;
    return one && this.#alive.has(one) && one.pid ? { pid: one.pid, socket: one.socket } : undefined;
  }
}
