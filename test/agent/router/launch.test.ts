import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { router } from "../../../agent/router/router.ts";
import { silent } from "../../../agent/run/log.ts";
import { start } from "../../../agent/run/runner.ts";
import { type App, app, ask, eventually } from "../../support/router.ts";
import { tool } from "../../support/tools.ts";

let one: App;
beforeAll(async () => {
  one = await app("one");
});
afterAll(() => one.close());

it("routes that are registered in every moment of the router's start are all served", async () => {
  const net = memoryNet();
  const [line, peer] = [net.join(), net.join()];
  const home = await mkdtemp(join(tmpdir(), "tutti-launch-"));
  let port = 0;
  const running = start(
    router({
      ...{
        bus: line,
        log: silent,
        index: 0,
        address: "127.0.0.1",
        beat: 1000,
        home,
        haproxy: tool("haproxy"),
        port: 0,
      },
      domain: "test",
      onListening: (served) => {
        port = served;
      },
    }),
  );
  let up = false;
  running.ready.then(() => {
    up = true;
  });
  const names: string[] = [];
  while (!up) {
    // One name each turn of the event loop: some fall into every gap between reading the table and telling HAProxy.
    const name = `r${names.length}.test`;
    names.push(name);
    const uris = [name];
    const endpoint = { host: "127.0.0.1", port: one.port, app: "one", private_instance_id: "one" };
    peer.publish(subjects.routerRegister, { ...endpoint, uris, tags: {} });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const statuses = () => Promise.all(names.map(async (name) => (await ask(port, name)).status));
  // Those said before the router listened are nobody's; from the first that is served on, all are.
  const served = await eventually(statuses, (all) => !all.slice(all.indexOf(200)).includes(404));
  expect(served).toContain(200);
  await running.stop();
  await rm(home, { recursive: true, force: true });
});
