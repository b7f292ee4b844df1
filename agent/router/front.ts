import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { capacityFor, runsLow } from "./capacity.ts";
import type { ConfigOptions } from "./config.ts";
import { type Generation, launch } from "./generation.ts";
import { end, findOrphan, noteServing } from "./orphan.ts";
import type { Regrouped } from "./pools.ts";
import { requireFreePort } from "./port.ts";
import { frontendStats, noTotals, sum, type Totals } from "./stats.ts";
import type { View } from "./view.ts";

/** HAProxy as the router sees it: always there, always what the view says. */
export interface Front {
  readonly runner: Runner;
  /** Something of the view has changed. */
  touch(changed: Regrouped): void;
  /** Asks HAProxy how it is: keeps its counters and removes what has left. Rejects when there is no answer. */
  check(): Promise<void>;
  /** Counters since this router started, over all processes. */
  stats(): { totals: Totals; connections: number; requests_per_sec: number };
  ask(command: string): Promise<string>;
  /** Has a new process take over from the one that serves, without a dropped connection. */
  reload(): void;
  readonly reloads: number;
}

export interface FrontOptions {
  haproxy: string;
  /** Absolute path without symbolic links. */
  home: string;
  config: ConfigOptions;
  /** Backends without an app to keep ready. */
  spareSlots: number;
  view: View;
  /** The descriptor of the access log, asked anew for each HAProxy. */
  logFd: () => number;
  beat: number;
  log: Log;
}

// A reload leaves the old process to finish what it has begun. More of them than this are not kept.
const mostDraining = 8;
// Milliseconds in which HAProxy must answer its command socket.
const patience = 10_000;

export function front(options: FrontOptions): Front {
  return new Supervisor(options);
}

type Old = { pid: number; socket: string; port?: number } | undefined;

class Supervisor implements Front {
  readonly runner: Runner = { name: "haproxy", run: (stop, ready) => this.#run(stop, ready) };
  reloads = 0;
  readonly #options: FrontOptions;
  readonly #alive = new Set<Generation>();
  #current: Generation | undefined;
  #number = 0;
  #reload = Promise.withResolvers<void>();
  /** What changed while the next HAProxy's files were being written: they do not have it, and nobody else would say it. */
  #missed: Regrouped | undefined;
  #before: Totals = noTotals;
  #now = { totals: noTotals, connections: 0, requests_per_sec: 0 };

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  touch(changed: Regrouped) {
    for (const one of this.#alive) one.link.touch(changed);
    for (const slot of changed.slots) this.#missed?.slots.add(slot);
    for (const host of changed.hosts) this.#missed?.hosts.add(host);
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

  reload() {
    this.#reload.resolve();
  }

  async ask(command: string) {
    return (await this.#current?.link.ask(command)) ?? "";
  }

  async #run(stop: AbortSignal, ready: () => void) {
    const { beat, log, home, config } = this.#options;
    let old: Old = await findOrphan(home);
    // The socket of the next must not be that of the one it takes over.
    this.#number = Math.max(this.#number, Number(/\d+/.exec(old?.socket ?? "0")?.[0]));
    if (old?.port !== config.port) await requireFreePort(config.bind, config.port);
    if (old) log.info({ pid: old.pid }, "taking over from the HAProxy of an agent that was killed");
    let failures = 0;
    let everReady = false;
    try {
      while (!stop.aborted) {
        this.#reload = Promise.withResolvers();
        const began = performance.now();
        const { error, wasReady } = await this.#serve(old, stop, ready).catch((error) => ({ error, wasReady: false }));
        if (stop.aborted) return;
        everReady ||= wasReady;
        if (error && !everReady && !old) throw error;
        // An orphan that hands nothing over must go, or it would keep its share of the requests.
        if (error && !everReady && old) end(old.pid, "SIGKILL");
        if (error) log.warn({ error: String(error) }, "HAProxy ended; starting it again");
        old = this.#takeOver();
        failures = performance.now() - began > 10 * beat ? 0 : failures + 1;
        // The first time at once; one that does not stay up is not started in a tight loop.
        if (error && failures > 1) await sleep(Math.min(10 * beat, (beat / 8) * 2 ** failures), stop);
      }
    } finally {
      await Promise.all([...this.#alive].map((one) => one.running.stop()));
    }
  }

  /** One generation: until it ends (with the error), until another should take over, or until the stop. */
  async #serve(old: Old, stop: AbortSignal, ready: () => void): Promise<{ error?: unknown; wasReady: boolean }> {
    const one = await this.#launch(old);
    const ended = one.running.exited.then(
      () => undefined,
      (error: unknown) => error,
    );
    const state = await Promise.race([
      one.running.ready.then(
        () => "ready",
        () => "failed",
      ),
      stopped(stop),
    ]);
    if (state === "failed") return { error: await ended, wasReady: false };
    if (stop.aborted) return { wasReady: false };
    this.#became(one);
    const { home, config, log } = this.#options;
    const note = one.pid && noteServing(home, { pid: one.pid, socket: one.socket, port: config.port });
    if (note)
      await note.catch((error) => log.warn({ error: String(error) }, "an agent killed now would leave HAProxy behind"));
    ready();
    this.touch({ slots: new Set(), hosts: new Set() });
    const error = await Promise.race([ended, this.#reload.promise, stopped(stop)]);
    return { error, wasReady: true };
  }

  async #launch(old: Old): Promise<Generation> {
    const { spareSlots, view } = this.#options;
    const number = ++this.#number;
    const onBroken = (error: unknown) => {
      // One that is finishing need not obey any more, and one that has ended is noticed by its end.
      if (number < this.#number || (error as { code?: string }).code === "haproxy_gone") return;
      this.#options.log.warn({ error: String(error) }, "HAProxy did not do what it was told; starting it afresh");
      this.#reload.resolve();
    };
    const onOutgrown = () => {
      if (number === this.#number) this.#reload.resolve();
    };
    const missed: Regrouped = { slots: new Set(), hosts: new Set() };
    this.#missed = missed;
    const one = await launch({
      ...this.#options,
      logFd: this.#options.logFd(),
      number,
      capacity: capacityFor(view.highest, spareSlots),
      old,
      onBroken,
      onOutgrown,
    });
    this.#missed = undefined;
    this.#alive.add(one);
    one.link.touch(missed);
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
  #takeOver(): Old {
    const one = this.#current;
    if (one && !this.#alive.has(one)) this.#current = undefined;
    return one && this.#alive.has(one) && one.pid ? { pid: one.pid, socket: one.socket } : undefined;
  }
}
