import type { LookupAddress } from "node:dns";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { makeApi } from "../../cli/api.ts";
import { readConfig, writeConfig } from "../../cli/config.ts";
import { lookup, makeHttp } from "../../cli/http.ts";
import { stale } from "../../cli/tokens.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server | ReturnType<typeof createTcp>): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const resolve = (host: string, all = false) =>
  new Promise<unknown>((done) => lookup(host, { all }, (error, address) => done(error?.code ?? address)));

describe("names", () => {
  test("at and below localhost are this machine", async () => {
    expect(await resolve("api.tutti.localhost")).toBe("127.0.0.1");
    expect(await resolve("LOCALHOST")).toBe("127.0.0.1");
    expect(await resolve("a.localhost.", true)).toEqual([{ address: "127.0.0.1", family: 4 } satisfies LookupAddress]);
  });

  test("that only look like it are not", async () => {
    expect(await resolve("notlocalhost.invalid")).not.toBe("127.0.0.1");
  });
});

describe("a cluster in trouble is told in words", () => {
  test("when it takes the request and does not answer", async () => {
    const url = await listen(createServer(() => {}));
    await expect(makeHttp().send({ method: "GET", url, patience: 100 })).rejects.toMatchObject({
      code: "unreachable_und_err_headers_timeout",
      message: `${url} took the request but did not answer in time`,
    });
  });

  test("when it hangs up", async () => {
    const url = await listen(createTcp((socket) => socket.once("data", () => socket.destroy())));
    await expect(makeHttp().send({ method: "GET", url })).rejects.toMatchObject({
      message: `${url} closed the connection before answering`,
    });
  });

  test("when its name is not known", async () => {
    await expect(makeHttp().send({ method: "GET", url: "http://no.such.invalid/" })).rejects.toMatchObject({
      hint: expect.stringMatching(/check/),
    });
  });
});

test("a refusal in the middle of an upload is heard over the noise of the broken connection", async () => {
  const detail = JSON.stringify({
    errors: [{ title: "CF-InsufficientStorage", detail: "There is no room left for the upload" }],
  });
  for (const close of [true, false]) {
    const url = await listen(
      createServer((request, response) => {
        request.once("data", () => {
          response
            .writeHead(507, { "content-type": "application/json", ...(close && { connection: "close" }) })
            .end(detail);
          if (close) setTimeout(() => request.socket.destroy(), 50);
          else request.resume();
        });
      }),
    );
    const api = makeApi(makeHttp(), { target: url }, {});
    const endless = Readable.from(chunks(64 * 1024 * 1024), { objectMode: false });
    await expect(api.upload("/v3/packages/x/upload", {}, endless)).rejects.toMatchObject({
      message: "There is no room left for the upload",
    });
  }
});

function* chunks(total: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < total; sent += chunk.length) yield chunk;
}

describe("what is remembered", () => {
  test("is written in one step, for its owner only, and leaves nothing else behind", async () => {
    const home = await mkdtemp(join(tmpdir(), "tutti-config-"));
    const env = { TUTTI_HOME: join(home, "deep/er") };
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => writeConfig(env, { target: "http://x", accessToken: "t".repeat(n * 1000) })),
    );
    expect(await readdir(env.TUTTI_HOME)).toEqual(["config.json"]);
    expect((await stat(join(env.TUTTI_HOME, "config.json"))).mode & 0o777).toBe(0o600);
    expect((await stat(env.TUTTI_HOME)).mode & 0o777).toBe(0o700);
    expect(await readConfig(env)).toMatchObject({ target: "http://x" });
    await rm(home, { recursive: true });
  });
});

test("a token is stale a little before its end; one that cannot be read is tried", () => {
  const token = (exp: unknown) => `h.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
  expect(stale(token(100), 84_000)).toBe(false);
  expect(stale(token(100), 86_000)).toBe(true);
  expect(stale(token(undefined), 0)).toBe(false);
  expect(stale("opaque", 0)).toBe(false);
});
