import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { type ControllerOptions, controller } from "../../../agent/controller/controller.ts";
import { Fault } from "../../../agent/run/fault.ts";
import { MemberExited } from "../../../agent/run/group.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { memoryStore } from "../../../agent/store/memory.ts";
import { memoryBlobs } from "../../../agent/store/memoryBlobs.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface One {
  running: Running;
  base: string;
  home: string;
  log: string[];
}

function cluster() {
  const [net, store, blobs] = [memoryNet(), memoryStore(), memoryBlobs()];
  return {
    tool: net.join(),
    async controller(more: Partial<ControllerOptions> = {}): Promise<One> {
      const home = more.home ?? (await mkdtemp(join(tmpdir(), "tutti-controller-")));
      closing.push(() => rm(home, { recursive: true, force: true }));
      const log = recordingLog();
      let port = 0;
      const options = {
        store,
        blobs,
        log,
        index: 0,
        address: "127.0.0.1",
        beat: 50,
        home,
        port: 0,
        domain: "tutti.test",
        version: "1",
      };
      const onListening = (bound: number) => {
        port = bound;
      };
      const running = start(controller({ ...options, bus: net.join(), onListening, ...more }));
      closing.push(() => running.stop());
      await running.ready;
      return { running, base: `http://127.0.0.1:${port}`, home, log: log.lines };
    },
  };
}

const form = new URLSearchParams({ email: "me@tutti.test", password: "three little words" }).toString();
const headers = { "content-type": "application/x-www-form-urlencoded" };
const claim = (base: string) => fetch(`${base}/stackato/license`, { method: "POST", headers, body: form });
async function login(base: string) {
  const authorization = `Basic ${Buffer.from("cf:").toString("base64")}`;
  const body = new URLSearchParams({
    grant_type: "password",
    username: "me@tutti.test",
    password: "three little words",
  });
  const reply = await fetch(`${base}/oauth/token`, { method: "POST", headers: { ...headers, authorization }, body });
  const { access_token } = (await reply.json()) as { access_token: string };
  return { authorization: `bearer ${access_token}` };
}

describe("a controller", () => {
  test("clears away what cut-off uploads left in the blob store, again and again, and none that may go on", async () => {
    const ages: number[] = [];
    const sweep = async (age: number) => ages.push(age);
    const { log } = await cluster().controller({ beat: 1, blobs: { ...memoryBlobs(), sweep } });
    await until(() => ages.length > 1, { what: "it has swept twice" });
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(3_600_000);
    expect(log.join()).toContain("broken uploads");
  });

  test("listens, shows itself on the bus, registers the API's name, and takes all of it back when it stops", async () => {
    const ground = cluster();
    const registered: string[] = [];
    ground.tool.subscribe(subjects.routerRegister, ({ uris }) => registered.push(`+${uris}`));
    ground.tool.subscribe(subjects.routerUnregister, ({ uris }) => registered.push(`-${uris}`));
    const { running, base, home } = await ground.controller();
    expect((await fetch(`${base}/v3/info`)).status).toBe(200);
    const [seen] = await ground.tool.gather(subjects.discover, {}, { timeout: 2000, expected: 1 });
    expect(seen?.type).toBe("CloudController");
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    await until(() => registered.includes("+api.tutti.test"), { what: "the API is registered" });
    await running.stop();
    expect(registered.at(-1)).toBe("-api.tutti.test");
    await expect(fetch(`${base}/v3/info`)).rejects.toThrow();
  });

  test("that comes back knows everything, and tokens from before are still good", async () => {
    const ground = cluster();
    const first = await ground.controller();
    expect((await claim(first.base)).status).toBe(201);
    const token = await login(first.base);
    await writeFile(join(first.home, "uploads", "left-behind"), "x");
    await first.running.stop();
    const second = await ground.controller({ home: first.home });
    const spaces = (await (await fetch(`${second.base}/v3/spaces`, { headers: token })).json()) as {
      resources: { name: string }[];
    };
    expect(spaces.resources.map(({ name }) => name)).toEqual(["dev"]);
    expect(await readdir(join(second.home, "uploads"))).toEqual([]);
    expect((await claim(second.base)).status).toBe(200);
  });

  test("shares users, tokens and work with another one on the same store", async () => {
    const ground = cluster();
    const [one, other] = [await ground.controller(), await ground.controller({ index: 1 })];
    await claim(one.base);
    const token = await login(other.base);
    const json = { ...token, "content-type": "application/json" };
    const body = JSON.stringify({ name: "acme" });
    const made = (await (
      await fetch(`${one.base}/v3/organizations`, { method: "POST", headers: json, body })
    ).json()) as { guid: string };
    expect((await fetch(`${other.base}/v3/organizations/${made.guid}`, { headers: token })).status).toBe(200);
    const gone = await fetch(`${other.base}/v3/organizations/${made.guid}`, { method: "DELETE", headers: token });
    const job = new URL(gone.headers.get("location") ?? "").pathname;
    await until(
      async () =>
        ((await (await fetch(`${one.base}${job}`, { headers: token })).json()) as { state: string }).state ===
        "COMPLETE",
      { what: "the job is done" },
    );
    await until(
      async () => (await fetch(`${one.base}/v3/organizations/${made.guid}`, { headers: token })).status === 404,
      { what: "it is gone" },
    );
  });

  test("whose port is taken says by whom, and which setting changes it", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    closing.push(() => squatter.close());
    await new Promise((resolve) => squatter.once("listening", resolve));
    const { port } = squatter.address() as AddressInfo;
    const failure = await cluster()
      .controller({ port })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MemberExited);
    const cause = (failure as MemberExited).cause as Fault;
    expect(cause).toBeInstanceOf(Fault);
    expect(cause.code).toBe("port_in_use");
    expect(cause.message).toMatch(new RegExp(`port ${port} is in use by .*\\(pid ${process.pid}\\)`));
    expect(cause.hint).toMatch(/ports\.controller/);
  });

  test("stops although a client holds a request open", async () => {
    const { running, base } = await cluster().controller();
    const socket = connect(Number(new URL(base).port), "127.0.0.1");
    closing.push(() => socket.destroy());
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.on("error", () => {});
    socket.write(
      "POST /stackato/license HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{",
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    await running.stop();
  });

  test("keeps internal addresses for those who have signed ones, license or not", async () => {
    const { base } = await cluster().controller();
    expect((await fetch(`${base}/staging/app/x`)).status).toBe(403);
    expect((await fetch(`${base}/bulk/apps`)).status).toBe(401);
  });

  test("takes a large upload without growing with it", async () => {
    const ground = cluster();
    const { base } = await ground.controller({ uploadLimit: 10 * 1024 * 1024, blobs: memoryBlobs() });
    await claim(base);
    const token = await login(base);
    const json = { ...token, "content-type": "application/json" };
    const space = (
      (await (await fetch(`${base}/v3/spaces`, { headers: token })).json()) as { resources: { guid: string }[] }
    ).resources[0]?.guid;
    const make = async (path: string, body: object) =>
      (
        (await (
          await fetch(`${base}${path}`, { method: "POST", headers: json, body: JSON.stringify(body) })
        ).json()) as { guid: string }
      ).guid;
    const app = await make("/v3/apps", { name: "large", relationships: { space: { data: { guid: space } } } });
    const guid = await make("/v3/packages", { type: "bits", relationships: { app: { data: { guid: app } } } });
    // 400 MiB that never end well. Sender and receiver share this process: the bound is for what grows with the upload.
    const boundary = "b";
    const chunk = randomBytes(1024 * 1024);
    let highest = 0;
    async function* parts() {
      yield Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="bits"; filename="a.zip"\r\n\r\n`);
      for (let count = 0; count < 400; count++) {
        highest = Math.max(highest, process.memoryUsage().arrayBuffers);
        yield chunk;
      }
      yield Buffer.from(`\r\n--${boundary}--\r\n`);
    }
    const before = process.memoryUsage().arrayBuffers;
    const reply = await fetch(`${base}/v3/packages/${guid}/upload`, {
      method: "POST",
      headers: { ...token, "content-type": `multipart/form-data; boundary=${boundary}` },
      body: ReadableStream.from(parts()),
      duplex: "half",
    } as RequestInit);
    expect(reply.status).toBe(413);
    expect((highest - before) / 1024 ** 2).toBeLessThan(200);
  });
});
