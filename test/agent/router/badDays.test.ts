import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { type Answer, type App, app, ask, eventually, type TestRouter, testRouter } from "../../support/router.ts";

const open: { stop(): Promise<void> }[] = [];
const serve = async (...args: Parameters<typeof app>): Promise<App> => {
  const made = await app(...args);
  open.push({ stop: made.close });
  return made;
};
const stand = async (...args: Parameters<typeof testRouter>): Promise<TestRouter> => {
  const made = await testRouter(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
});

const ok = ({ status }: Answer) => status === 200;
const says = (body: string) => (answer: Answer) => answer.body === body;
const status = (port: number, host: string) =>
  ask(port, host).then(
    (answer) => answer.status,
    (error: Error) => error.message,
  );
const ends = (pid: number) =>
  eventually(
    () => alive(pid),
    (is) => !is,
  );
function alive(pid: number) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a HAProxy that is killed", () => {
  it("is back at once with every route, also those told to it at run time", async () => {
    const one = await stand();
    const [a, b] = [await serve("a"), await serve("b")];
    one.register(["a.test", "a2.test", "a.test/b"], { port: a.port, app: "a" });
    one.register("a.test/b", { port: b.port, app: "b" });
    await one.answers("a.test", ok);
    const pid = await one.pid();
    process.kill(pid, "SIGKILL");
    const back = () => status(one.port, "a2.test");
    expect(await eventually(back, (answer) => answer !== "socket hang up" && !/ECONN/.test(`${answer}`))).toBe(200);
    expect((await one.ask("a.test")).body).toBe("a");
    await eventually(one.pid, (now) => now !== pid);
    one.register("c.test", { port: a.port, app: "a" });
    await one.answers("c.test", ok);
  });

  it("is started again as often as it takes", async () => {
    const one = await stand();
    const a = await serve("a");
    one.register("a.test", { port: a.port });
    await one.answers("a.test", ok);
    for (let round = 0; round < 3; round++) {
      const pid = await one.pid();
      process.kill(pid, "SIGKILL");
      await eventually(one.pid, (now) => now !== pid);
      await eventually(
        () => status(one.port, "a.test"),
        (answer) => answer === 200,
      );
    }
  });
});

describe("a bus that is away for longer than registrations live", () => {
  it("costs no route, and everything counts as fresh when it is back", async () => {
    const one = await stand({ beat: 4 });
    const a = await serve("a");
    const starts: unknown[] = [];
    one.peer.subscribe(subjects.routerStart, (message) => starts.push(message));
    one.register("a.test", { port: a.port });
    await one.answers("a.test", ok);
    one.line.disconnect();
    await new Promise((resolve) => setTimeout(resolve, 4 * 300));
    expect(await status(one.port, "a.test")).toBe(200);
    const before = starts.length;
    one.line.reconnect();
    await eventually(
      () => starts.length,
      (n) => n > before,
    );
    expect(await status(one.port, "a.test")).toBe(200);
    // With the bus back, silence means something again.
    await eventually(
      () => status(one.port, "a.test"),
      (answer) => answer === 404,
    );
  });
});

describe("a router that is restarted", () => {
  it("comes back with its routes although nobody repeats them, even while the bus is away", async () => {
    const one = await stand();
    const a = await serve("a");
    one.register(["a.test", "a.test/x"], { port: a.port, app: "a", private_instance_id: "i" });
    await one.answers("a.test", ok);
    await one.running.stop();
    const away = one.net.join();
    away.disconnect();
    const two = await stand({ home: one.home, bus: away });
    expect((await two.ask("a.test")).body).toBe("a");
    expect((await two.ask("a.test", { path: "/x" })).body).toBe("a");
  });

  it("starts with an empty table when the saved one is damaged", async () => {
    const one = await stand();
    await one.running.stop();
    await writeFile(join(one.home, "routes.json"), '{"version":1,"endpoi');
    const two = await stand({ home: one.home });
    expect(await status(two.port, "a.test")).toBe(404);
  });

  it("asks everybody to register, and answers a greeting with the same", async () => {
    const one = await stand({ beat: 100 });
    const said = await one.peer.request(subjects.routerGreet, {}, { timeout: 2000 });
    expect(said).toMatchObject({ version: 0.98, hosts: ["127.0.0.1"], minimumRegisterIntervalInSeconds: 2 });
    expect(said?.pruneThresholdInSeconds).toBe(12);
    expect(said?.id).toMatch(/^0-[0-9a-f]{32}$/);
  });
});

describe("a HAProxy that its agent left behind", () => {
  it("serves on and is taken over without a refused connection", async () => {
    const a = await serve("a");
    const home = await mkdtemp(join(tmpdir(), "tutti-router-"));
    const agent = fork(fileURLToPath(new URL("../../support/routerProcess.ts", import.meta.url)), [home, `${a.port}`]);
    const [{ port }] = await once(agent, "message");
    await eventually(
      () => status(port, "a.test"),
      (answer) => answer === 200,
    );
    await eventually(
      () => readFile(join(home, "routes.json"), "utf8").catch(() => ""),
      (text) => text.includes("a.test"),
    );
    const { pid } = JSON.parse(await readFile(join(home, "haproxy.json"), "utf8"));
    agent.kill("SIGKILL");
    await once(agent, "exit");
    expect(await status(port, "a.test")).toBe(200);
    let asking = true;
    const answers = (async () => {
      const all = new Set<unknown>();
      while (asking) all.add(await status(port, "a.test"));
      return all;
    })();
    const two = await stand({ home, port });
    expect(await two.pid()).not.toBe(pid);
    await ends(pid);
    asking = false;
    expect(await answers).toEqual(new Set([200]));
    expect((await two.ask("a.test")).body).toBe("a");
    await two.stop();
    await rm(home, { recursive: true });
  });
});

describe("a port that is in use", () => {
  it("is reported with who has it and the setting to change", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const port = (holder.address() as { port: number }).port;
    const refused = await testRouter({ port }).catch((error: Error) => error);
    const { cause } = refused as { cause?: unknown };
    expect(cause ?? refused).toMatchObject({
      code: "port_in_use",
      message: expect.stringContaining(`${port} is in use by process ${process.pid}`),
      hint: expect.stringContaining("ports.router"),
    });
    holder.close();
  });
});

describe("an instance that does not accept connections", () => {
  it("costs no request while another does, and is left alone until it accepts again", async () => {
    const one = await stand();
    const [a, b] = [await serve("a"), await serve("b")];
    one.register("two.test", { port: a.port, app: "t", private_instance_id: "ta" });
    one.register("two.test", { port: b.port, app: "t", private_instance_id: "tb" });
    await one.answers("two.test", says("b"));
    await b.close();
    for (let i = 0; i < 30; i++) expect((await one.ask("two.test", { method: "POST", body: "x" })).body).toBe("a");
    await serve("b", undefined, b.port);
    await one.answers("two.test", says("b"));
  });

  it("and is the only one: 502 says that it cannot be reached", async () => {
    const one = await stand();
    const a = await serve("a");
    await a.close();
    one.register("dead.test", { port: a.port, app: "d" });
    const answer = await one.answers("dead.test", ({ status }) => status !== 404);
    expect([answer.status, answer.headers["x-cf-routererror"]]).toEqual([502, "endpoint_failure"]);
    expect((await one.ask("dead.test")).status).toBe(502);
    await serve("a", undefined, a.port);
    await one.answers("dead.test", ok);
  });

  it("after it has taken the request: the request is not repeated", async () => {
    const one = await stand();
    const cut: http.RequestListener = (request) =>
      request.resume().on("end", () => {
        request.socket.destroy();
      });
    const [a, b] = [await serve("a", cut), await serve("b", cut)];
    one.register("cut.test", { port: a.port, app: "c", private_instance_id: "ca" });
    one.register("cut.test", { port: b.port, app: "c", private_instance_id: "cb" });
    const answer = await one.answers("cut.test", ({ status }) => status !== 404, { method: "POST", body: "pay" });
    expect(answer.status).toBe(502);
    expect(a.seen.length + b.seen.length).toBe(1);
  });

  it("is not what clients that go away make of a healthy one", async () => {
    const one = await stand();
    const slow: http.RequestListener = (request, response) => {
      if (request.url === "/slow") return;
      response.end("fine");
    };
    const a = await serve("a", slow);
    one.register("slow.test", { port: a.port, app: "s" });
    await one.answers("slow.test", ok);
    for (let i = 0; i < 20; i++) {
      const request = http.get({ port: one.port, host: "127.0.0.1", path: "/slow", headers: { host: "slow.test" } });
      request.on("error", () => {});
      await eventually(
        () => a.seen.length,
        (n) => n > i + 1,
      );
      request.destroy();
    }
    for (let i = 0; i < 10; i++) expect((await one.ask("slow.test")).body).toBe("fine");
  });
});

describe("a port that another app took over", () => {
  it("never serves the old app's name, not even on a connection that was open before", async () => {
    const one = await stand();
    const a = await serve("old");
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    one.register("old.test", { port: a.port, app: "old", private_instance_id: "old-1" });
    await one.answers("old.test", ok, { agent });
    await a.close();
    const b = await serve("new", undefined, a.port);
    one.register("new.test", { port: b.port, app: "new", private_instance_id: "new-1" });
    await one.answers("new.test", says("new"), { agent });
    for (let i = 0; i < 10; i++) {
      const answer = await one.ask("old.test", { agent, headers: { cookie: "__VCAP_ID__=old-1" } });
      expect([answer.status, answer.headers["x-cf-routererror"]]).toEqual([503, "no_endpoints"]);
    }
    agent.destroy();
  });
});
