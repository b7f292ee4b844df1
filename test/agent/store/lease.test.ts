import { afterEach, describe, expect, test } from "vitest";
import { type Dialed, dial } from "../../../agent/bus/nats.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { StoreUnavailable } from "../../../agent/store/conflict.ts";
import { jetstreamStore } from "../../../agent/store/jetstream.ts";
import { lease } from "../../../agent/store/lease.ts";
import { memoryStore } from "../../../agent/store/memory.ts";
import type { Store } from "../../../agent/store/store.ts";
import { natsServer } from "../../support/nats.ts";
import { until } from "../../support/until.ts";

const beat = 60;
const running: Running[] = [];
const dialed: Dialed[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  for (const one of dialed.splice(0)) await one.close();
});

/** A store whose line can be cut: reads and writes hang until it is mended, then fail. */
function cuttable(store: Store) {
  let cut: PromiseWithResolvers<void> | undefined;
  const through =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (cut) {
        await cut.promise;
        throw new StoreUnavailable("the line was cut");
      }
      return await act(...args);
    };
  return {
    store: {
      ...store,
      get: through(store.get),
      compareAndSet: through(store.compareAndSet),
      delete: through(store.delete),
    },
    cut: () => {
      cut = Promise.withResolvers();
    },
    mend: () => {
      cut?.resolve();
      cut = undefined;
    },
  };
}

function candidate(store: Store, holder: string) {
  const one = lease(store, "health", { holder, beat, log: silent });
  const run = start(one.runner);
  running.push(run);
  return { lease: one, run };
}

/** Watches that never two hold it. */
function witness(...candidates: { lease: { held: boolean } }[]) {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, candidates.filter((one) => one.lease.held).length);
  }, 1);
  return () => {
    clearInterval(timer);
    return most;
  };
}

describe("a lease", () => {
  test("is held by one of several candidates, and stays with it", async () => {
    const store = memoryStore();
    const [one, two] = [candidate(store, "one"), candidate(store, "two")];
    const most = witness(one, two);
    await until(() => one.lease.held || two.lease.held, { what: "one leads" });
    const leader = one.lease.held ? one : two;
    const first = leader.lease.revision;
    await until(() => leader.lease.revision > first + 5, { what: "it was renewed a few times" });
    expect(leader.lease.held).toBe(true);
    expect(most()).toBe(1);
  });

  test("passes on at once when its holder stops in good order", async () => {
    const store = memoryStore();
    const one = candidate(store, "one");
    await until(() => one.lease.held, { what: "the first leads" });
    const two = candidate(store, "two");
    await one.run.stop();
    expect(one.lease.held).toBe(false);
    await until(() => two.lease.held, { what: "the second leads" });
    expect(two.lease.revision).toBeGreaterThan(one.lease.revision);
  });

  test("passes on when its holder can no longer reach the store, which knows it by then", async () => {
    const store = memoryStore();
    const line = cuttable(store);
    const one = candidate(line.store, "one");
    await until(() => one.lease.held, { what: "the first leads" });
    const two = candidate(store, "two");
    const most = witness(one, two);
    line.cut();
    await until(() => two.lease.held, { what: "the second leads" });
    expect(one.lease.held).toBe(false);
    line.mend();
    const revision = two.lease.revision;
    await until(() => two.lease.revision > revision + 4, { what: "it was renewed while the first is back" });
    expect([most(), one.lease.held, two.lease.held]).toEqual([1, false, true]);
  });

  test("comes back to a holder whose line was cut only for a moment", async () => {
    const line = cuttable(memoryStore());
    const one = candidate(line.store, "one");
    await until(() => one.lease.held, { what: "it leads" });
    line.cut();
    await until(() => !one.lease.held, { what: "it no longer counts on it" });
    line.mend();
    await until(() => one.lease.held, { what: "it leads again" });
  });

  test("is taken back by a holder whose write was done although it failed", async () => {
    const store = memoryStore();
    let lost = 0;
    const lying: Store = {
      ...store,
      async compareAndSet(key, value, revision) {
        const done = await store.compareAndSet(key, value, revision);
        if (lost++ === 0) throw new StoreUnavailable("no answer");
        return done;
      },
    };
    const one = candidate(lying, "one");
    await until(() => one.lease.held, { what: "it leads" });
  });

  test("on a real store passes on when its holder's line is cut and when the server is killed", async () => {
    const server = await natsServer({ jetstream: true });
    const join = async () => {
      const one = await dial({ servers: server.url, name: "test", user: "health", log: silent });
      dialed.push(one);
      return jetstreamStore(one.connection, { timeout: 200 });
    };
    const line = cuttable(await join());
    const [one, two] = [candidate(line.store, "one"), candidate(await join(), "two")];
    await until(() => one.lease.held || two.lease.held, { what: "one leads" });
    if (!one.lease.held) {
      await two.run.stop();
      await until(() => one.lease.held, { what: "the first leads" });
      running.push(start(two.lease.runner));
    }
    const most = witness(one, two);
    line.cut();
    await until(() => two.lease.held, { what: "the second leads" });
    line.mend();
    await server.kill();
    await until(() => !two.lease.held, { what: "nobody leads without the store" });
    const { revision } = two.lease;
    await server.again();
    await until(() => one.lease.held || two.lease.held, { what: "one leads again" });
    expect(Math.max(one.lease.revision, two.lease.revision)).toBeGreaterThan(revision);
    expect(most()).toBe(1);
    await server.stop();
  });
});
