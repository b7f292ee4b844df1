import type { Gates } from "../gate.ts";
import type { Replacement } from "../replacements.ts";
import { type Ended, run, stateOf, type Watch } from "../run.ts";
import { hangBell } from "./bell.ts";
import { gathered } from "./gathered.ts";
import type { Hands, RollingOptions, Turn } from "./rolling.ts";
import type { Site } from "./site.ts";
import type { KnownMachine } from "./state.ts";

export interface Before {
  /** Node → machine that an interrupted run has made and the state does not know. */
  readonly adopt: Readonly<Record<string, string>>;
  /** Nodes that are new. */
  readonly born: readonly string[];
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";
/** All that is one node's has its name: component, machine, elastic address and what binds them. */
const allOf = (flag: string, machines: readonly KnownMachine[]): string[] =>
  machines.flatMap(({ urn }) => [flag, `**::${nameOf(urn)}`]);
const only = (machines: readonly KnownMachine[]): string[] => [...allOf("--target", machines), "--target-dependents"];

/** Does what rollingUp says, one engine after the other. For one use. */
export class Roller {
  readonly #site: Site;
  readonly #options: RollingOptions;
  readonly #before: Before;
  readonly #stop = new AbortController();

  constructor(site: Site, options: RollingOptions, before: Before) {
    this.#site = site;
    this.#options = options;
    this.#before = before;
  }

  async roll(leaving: readonly KnownMachine[], batches: readonly Replacement[][]): Promise<Ended> {
    this.#options.onStop?.(() => this.#stop.abort());
    const steps = [
      ...(leaving.length > 0 ? [() => this.#finish(leaving)] : []),
      () => this.#others(batches.flat()),
      ...batches.map((batch) => () => this.#batch(batch)),
      () => this.#engine({}),
    ];
    const all: Ended[] = [];
    for (const step of steps) {
      const ended = await step();
      all.push(ended);
      if (!ended.ok || this.#stop.signal.aborted) break;
    }
    return gathered(all);
  }

  /** What was cut off between the new machine's creation and the old one's end. */
  async #finish(leaving: readonly KnownMachine[]): Promise<Ended> {
    const there = await this.#machines();
    for (const old of leaving) {
      const now = there.find(({ id }) => id === old.id);
      if (now) await this.#wait("ready", now);
      await this.#wait("drain", old);
    }
    return await this.#engine({ flags: only(leaving) });
  }

  /** All that replaces nobody. What is new and has a role of those to come must do its work before one of them goes. */
  async #others(replaced: readonly Replacement[]): Promise<Ended> {
    const there = await this.#machines();
    const spared = there.filter(({ id }) => replaced.some(({ node }) => node === id));
    const { born, adopt } = this.#before;
    const others = Object.entries(adopt).filter(([node]) => !spared.some(({ id }) => id === node));
    const ended = await this.#engine({ flags: allOf("--exclude", spared), env: adopting(others) });
    const roles = new Set<string>(replaced.flatMap((one) => one.roles));
    const isNeeded = (one: KnownMachine) => born.includes(one.id) && one.roles.some((role) => roles.has(role));
    if (ended.ok) await this.#all("ready", (await this.#machines()).filter(isNeeded));
    return ended;
  }

  async #batch(batch: readonly Replacement[]): Promise<Ended> {
    const olds = (await this.#machines()).filter(({ id }) => batch.some(({ node }) => node === id));
    const goesFirst = ({ kind, oldFirst }: Replacement) => kind === "restart" || oldFirst;
    const early = olds.filter(({ id }) => batch.some((one) => one.node === id && goesFirst(one)));
    const late = olds.filter((one) => !early.includes(one));
    await this.#all("drain", early);
    const ended = await this.#surge(late, olds);
    const back = (await this.#machines()).filter(({ id }) => early.some((one) => one.id === id));
    if (ended.ok) await this.#all("ready", back);
    return ended;
  }

  /** The engine waits after each machine that it has made, or taken in, until that does its work and the old one none. */
  async #surge(late: readonly KnownMachine[], olds: readonly KnownMachine[]): Promise<Ended> {
    const found = late.flatMap((old) => Object.entries(this.#before.adopt).filter(([node]) => node === old.id));
    const refusals: unknown[] = [];
    const bell = await hangBell(async ({ what, name, instance }) => {
      const old = late.find(({ urn }) => nameOf(urn) === name);
      if (!old) return;
      await this.#wait(what, what === "ready" ? { ...old, instance } : old).catch((error) => {
        refusals.push(error);
        throw error;
      });
    });
    const gates: Gates = { socket: bell.socket, names: late.map(({ urn }) => nameOf(urn)) };
    try {
      const env = { ...adopting(found), TUTTI_GATES: JSON.stringify(gates) };
      const ended = await this.#engine({ flags: only(olds), env });
      if (refusals.length > 0) throw refusals[0];
      return ended;
    } finally {
      await bell.close();
    }
  }

  async #all(what: keyof Hands, machines: readonly KnownMachine[]): Promise<void> {
    await Promise.all(machines.map((one) => this.#wait(what, one)));
  }

  async #wait(what: keyof Hands, { id, instance, roles }: KnownMachine): Promise<void> {
    const turn: Turn = { node: id, instance, roles };
    this.#stop.signal.throwIfAborted();
    this.#options.onTurn?.(what, turn);
    await this.#options.hands[what](turn, this.#stop.signal);
  }

  async #machines(): Promise<readonly KnownMachine[]> {
    const { machines = [] } = (await stateOf(this.#site)) ?? {};
    return machines.filter(({ leaving }) => !leaving);
  }

  async #engine(narrow: Pick<Watch, "flags" | "env">): Promise<Ended> {
    const { onTold, onAbandoned, onStop } = this.#options;
    const stopped = (end: () => void) => {
      onStop?.(() => {
        this.#stop.abort();
        end();
      });
    };
    return await run(this.#site, "up", { onTold, onAbandoned, onStop: stopped, ...narrow });
  }
}

const adopting = (nodes: readonly (readonly [string, string])[]) => ({
  TUTTI_ADOPT: JSON.stringify(Object.fromEntries(nodes)),
});
