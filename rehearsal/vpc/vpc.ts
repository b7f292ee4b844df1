import { group } from "../../agent/run/group.ts";
import type { Log } from "../../agent/run/log.ts";
import { type Runner, stopped } from "../../agent/run/runner.ts";
import { build, demolish, open, plug, routes, unplug } from "./commands.ts";
import { act, enforcer, tryAll } from "./enforcer.ts";
import { netnsPath, publicPool, resolver, service } from "./layout.ts";
import type { Names } from "./metadata/dns.ts";
import type { Said } from "./metadata/told.ts";
import { refuseOpenNetwork } from "./outside.ts";
import type { Host, Network, Picture } from "./picture.ts";
import { type Door, relay } from "./relay.ts";
import { type Services, services } from "./services.ts";

export interface VpcOptions {
  readonly log: Log;
  /** What machines reach at port 80 of `service`: the rehearsal's API, which is S3 too. */
  readonly service?: Door;
  /** Told of what machines ask their metadata service. */
  readonly onSaid?: (said: Said) => void;
}

/** The cloud's network in this room: gateway, router with firewall, and a cable to each machine. */
export interface Vpc {
  readonly runner: Runner;
  /** Makes it so. What did not change is not touched; calls are done in turn. */
  apply(picture: Picture): Promise<void>;
  /** Gives a machine its network namespace, which has ens5 → its path. Anew when there is one. */
  plug(host: Host): Promise<string>;
  unplug(id: string): Promise<void>;
  /** Nothing passes the machine's cable from now on, and its light stays on. */
  cut(id: string): Promise<void>;
  heal(id: string): Promise<void>;
  /** All names that the resolver knows beside those of machines; `*.domain` is all below it. */
  name(names: Names): void;
}

/** Only in a closed room: it makes interfaces and routes in the network namespace it runs in. */
export function vpc({ log, service: door, onSaid }: VpcOptions): Vpc {
  const asked = services({ log, onSaid });
  const net = new Net(asked);
  const ground: Runner = { name: "network", run: (stop, ready) => net.run(stop, ready) };
  const doors = door ? [relay({ address: service, port: 80 }, door)] : [];
  return {
    runner: group("cloud network", [ground, asked.runner, ...doors]),
    apply: (picture) => net.apply(picture),
    plug: (host) => net.plug(host),
    unplug: (id) => net.unplug(id),
    cut: (id) => net.change((cuts) => cuts.add(id)),
    heal: (id) => net.change((cuts) => cuts.delete(id)),
    name: (names) => net.name(names),
  };
}

class Net {
  readonly #services: Pick<Services, "tell">;
  readonly #rules = enforcer();
  readonly #plugged = new Set<string>();
  readonly #cuts = new Set<string>();
  readonly #opened = new Set<string>();
  #picture: Picture = { networks: [], groups: [], hosts: [] };
  #names: Names = {};
  #last: Promise<unknown> = Promise.resolve();

  constructor(services: Pick<Services, "tell">) {
    this.#services = services;
  }

  async run(stop: AbortSignal, ready: () => void): Promise<void> {
    await refuseOpenNetwork();
    try {
      await act([...build(), ...routes(publicPool, `${resolver}/32`)]);
      await this.#inTurn(() => this.#enforce());
      ready();
      await stopped(stop);
    } finally {
      // The room's end would do the same; whoever stays in it finds it as it was.
      await tryAll(demolish([...this.#plugged]));
      for (const memory of [this.#plugged, this.#cuts, this.#opened]) memory.clear();
      this.#rules.forget();
    }
  }

  apply(picture: Picture): Promise<void> {
    return this.#inTurn(async () => {
      this.#picture = picture;
      for (const network of picture.networks) await this.#open(network);
      this.#tell();
      await this.#enforce();
    });
  }

  plug(host: Host): Promise<string> {
    return this.#inTurn(async () => {
      if (this.#plugged.delete(host.id)) await tryAll(unplug(host.id));
      this.#plugged.add(host.id);
      await act(plug(host));
      return netnsPath(host.id);
    });
  }

  unplug(id: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#cuts.delete(id);
      if (this.#plugged.delete(id)) await tryAll(unplug(id));
      await this.#enforce();
    });
  }

  change(act: (cuts: Set<string>) => unknown): Promise<void> {
    return this.#inTurn(async () => {
      act(this.#cuts);
      await this.#enforce();
    });
  }

  name(names: Names): void {
    this.#names = names;
    this.#tell();
  }

  #tell(): void {
    this.#services.tell({ hosts: this.#picture.hosts, names: this.#names });
  }

  #enforce(): Promise<void> {
    return this.#rules.enforce(this.#picture, this.#cuts);
  }

  async #open(network: Network): Promise<void> {
    const key = JSON.stringify(network);
    if (this.#opened.has(key)) return;
    await act(open(network));
    this.#opened.add(key);
  }

  #inTurn<T>(turn: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(turn, turn);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
