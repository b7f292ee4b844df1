import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Dialed, dial } from "../../../agent/bus/nats.ts";
import { silent } from "../../../agent/run/log.ts";
import { StoreUnavailable } from "../../../agent/store/conflict.ts";
import { jetstreamAnswers, jetstreamStore } from "../../../agent/store/jetstream.ts";
import type { Change } from "../../../agent/store/store.ts";
import { type NatsServer, natsServer } from "../../support/nats.ts";
import { proxyTo } from "../../support/proxy.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";
import { storeContract } from "./store.contract.ts";

let server: NatsServer;
const dialed: Dialed[] = [];
beforeAll(async () => {
  server = await natsServer({ jetstream: true });
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const one of dialed.splice(0)) await one.close();
});

async function join(url = server.url) {
  const one = await dial({ servers: url, name: "test", user: "controller", log: silent });
  dialed.push(one);
  return one.connection;
}

storeContract("JetStream", async () => {
  const [one, two] = [await join(), await join()];
  return {
    store: jetstreamStore(one),
    other: jetstreamStore(two),
    async close() {
      // Emptied, not deleted: nats-server removes files in the background, and a bucket made anew at once finds them.
      await (await jetstreamManager(one)).streams.purge("KV_tutti");
    },
  };
});

describe("a store on a real server", () => {
  test("keeps what it acknowledged over kill -9, and its watchers hear what changes afterwards", async () => {
    const own = await natsServer({ jetstream: true });
    const [connection, other] = [await join(own.url), await join(own.url)];
    const [store, writer] = [jetstreamStore(connection), jetstreamStore(other)];
    const changes: Change[] = [];
    const watching = store.watch("apps.", (change) => changes.push(change));
    await watching.current;
    for (let i = 0; i < 20; i++) await writer.put(`apps.${i}`, i);
    await until(() => changes.length === 20, { what: "the first values were told" });
    await own.kill();
    await until(() => connection.isClosed() || !dialed[0]?.bus.connected || !dialed[1]?.bus.connected, {
      what: "the loss",
    });
    await own.again();
    await until(() => jetstreamAnswers(other), { what: "the store answers again" });
    expect(await writer.list("apps.")).toHaveLength(20);
    await writer.put("apps.3", "changed");
    await writer.delete("apps.4");
    await until(() => changes.length === 22, { what: "the changes after the return were told" });
    expect(changes.slice(20)).toMatchObject([
      { key: "apps.3", value: "changed" },
      { key: "apps.4", value: undefined },
    ]);
    watching.stop();
    await own.stop();
  });

  test("tells a watcher that was away of a key whose every trace has gone", async () => {
    const own = await natsServer({ jetstream: true });
    const line = await proxyTo(own.port);
    const far = jetstreamStore(await join(`nats://127.0.0.1:${line.port}`));
    const connection = await join(own.url);
    const near = jetstreamStore(connection, { tombstones: "1s" });
    for (const key of ["apps.a", "apps.b"]) await near.put(key, 1);
    const changes: Change[] = [];
    const watching = far.watch("apps.", (change) => changes.push(change));
    await watching.current;
    line.cut();
    await near.delete("apps.a");
    const { streams } = await jetstreamManager(connection);
    await until(async () => (await streams.info("KV_tutti")).state.messages === 1, { what: "the trace has gone" });
    line.restore();
    await until(() => changes.length > 2, { what: "the deletion was told" });
    expect(changes.slice(2)).toMatchObject([{ key: "apps.a", value: undefined }]);
    watching.stop();
    await line.close();
    await own.stop();
  });

  test("says that it cannot be reached while the server is away, and works again afterwards", async () => {
    const own = await natsServer({ jetstream: true });
    const store = jetstreamStore(await join(own.url), { timeout: 300 });
    await store.put("a", 1);
    await own.kill();
    const attempts = [
      store.get("a"),
      store.put("a", 2),
      store.list("a"),
      store.compareAndSet("b", 1, 0),
      store.delete("a"),
    ];
    for (const result of await Promise.allSettled(attempts))
      expect(result).toMatchObject({ status: "rejected", reason: expect.any(StoreUnavailable) });
    await own.again();
    await until(
      () =>
        store.put("a", 3).then(
          () => true,
          () => false,
        ),
      { what: "the store takes writes again" },
    );
    expect((await store.get("a"))?.value).toBe(3);
    await own.stop();
  });

  test("says that it cannot be reached on a server without JetStream", async () => {
    const own = await natsServer();
    const connection = await join(own.url);
    expect(await jetstreamAnswers(connection)).toBe(false);
    await expect(jetstreamStore(connection).get("a")).rejects.toThrow(StoreUnavailable);
    await own.stop();
  });

  test("may be watched before the store is there", async () => {
    const own = await natsServer({ jetstream: true });
    await own.kill();
    const pending = join(own.url);
    await own.again();
    const store = jetstreamStore(await pending);
    const changes: Change[] = [];
    const watching = store.watch("apps.", (change) => changes.push(change));
    await store.put("apps.a", 1);
    await until(() => changes.length === 1, { what: "the value was told" });
    watching.stop();
    await own.stop();
  });

  test("logs a watcher that throws, and goes on telling", async () => {
    const log = recordingLog();
    const store = jetstreamStore(await join(), { log });
    const changes: Change[] = [];
    const watching = store.watch("noisy.", (change) => {
      changes.push(change);
      throw new Error("cannot read this one");
    });
    await watching.current;
    await store.put("noisy.a", 1);
    await store.put("noisy.b", 2);
    await until(() => changes.length === 2, { what: "both were told" });
    expect(log.lines.join()).toContain("cannot read this one");
    watching.stop();
  });

  test("leaves nothing of a deleted key behind when its time is over", async () => {
    const own = await natsServer({ jetstream: true });
    const connection = await join(own.url);
    const store = jetstreamStore(connection, { tombstones: "1s" });
    await store.put("a", 1);
    await store.put("b", 1);
    await store.delete("a");
    const { streams } = await jetstreamManager(connection);
    const messages = async () => (await streams.info("KV_tutti")).state.messages;
    expect(await messages()).toBe(2);
    await until(async () => (await messages()) === 1, { what: "the trace has gone" });
    expect(await store.get("a")).toBeUndefined();
    await store.compareAndSet("a", 2, 0);
    await own.stop();
  });

  test("leaves no consumer behind after listing", async () => {
    const connection = await join();
    const store = jetstreamStore(connection);
    for (let i = 0; i < 50; i++) await store.put(`many.${i}`, i);
    for (let i = 0; i < 20; i++) expect(await store.list("many.")).toHaveLength(50);
    const { streams } = await jetstreamManager(connection);
    await until(async () => (await streams.info("KV_tutti")).state.consumer_count === 0, {
      what: "no consumer is left",
    });
  });
});
