import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bus } from "../../agent/bus/bus.ts";
import { dial } from "../../agent/bus/nats.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import { silent } from "../../agent/run/log.ts";
import { type Solo, soloCluster } from "../support/solo.ts";

/** A cluster whose bus we may speak on as the controller does. */
export interface Ground {
  solo: Solo;
  bus: Bus;
  port: number;
  remove(): Promise<void>;
}

export async function ground(): Promise<Ground> {
  const solo = await soloCluster();
  const seed = readFileSync(join(solo.home, "solo/node/core/keys/controller.nk"), "utf8").trim();
  const { bus, close } = await dial({ servers: solo.nats.url, name: "bench", user: "controller", seed, log: silent });
  const remove = async () => {
    await close();
    await solo.remove();
  };
  return { solo, bus, port: Number(new URL(solo.router).port), remove };
}

export interface Routes {
  /** Each backend port gets its own app and an equal share of the names. */
  ports: readonly number[];
  names: readonly string[];
}

/** Registers names spread over backends, a thousand a message at most. */
export function registerAll(bus: Bus, { ports, names }: Routes): void {
  for (const [i, port] of ports.entries()) {
    const mine = names.filter((_, n) => n % ports.length === i);
    for (let from = 0; from < mine.length; from += 1000) {
      const uris = mine.slice(from, from + 1000);
      const app = `bench-${i}-${from}`;
      bus.publish(subjects.routerRegister, { host: "127.0.0.1", port, uris, app, tags: {}, private_instance_id: app });
    }
  }
}
