import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileServer } from "../../../agent/dea/files.ts";
import { silent } from "../../../agent/run/log.ts";
import { deaWorld, droplet, type Files, hello, shell, startMessage, until, type World } from "../../support/dea.ts";

/** Asks without tidying the path up, as fetch would. */
function raw(url: URL, path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: url.hostname, port: url.port, path, headers }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text) => {
        body += text;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.once("error", reject);
  });
}

async function served(world: World, files: Files, edit: (directory: string) => void = () => {}) {
  const { path, sha1 } = droplet(files, edit);
  const worker = { uris: [], health_check: { type: "process" } };
  const answer = await world.send(startMessage({ uri: world.blobs.put(path), sha1 }, worker));
  const one = await world.whenRunning(String(answer?.instance));
  const authorization = `Basic ${Buffer.from(one.credentials?.join(":") ?? "").toString("base64")}`;
  const base = new URL(`${one.file_uri}`);
  return (below: string, headers: Record<string, string> = { authorization }) =>
    raw(base, `/droplets/${one.staged}/${below}`, { authorization, ...headers });
}

const sleeper = shell("exec sleep 60");

test("a file, a part of it, a directory and nothing", async () => {
  const world = await deaWorld();
  const ask = await served(world, {
    ...sleeper,
    "app/a.txt": "0123456789",
    "app/big": "x".repeat(1300),
    "app/d/e": "",
  });
  expect(await ask("app/a.txt")).toEqual({ status: 200, body: "0123456789" });
  expect(await ask("app/a.txt", { range: "bytes=2-4" })).toEqual({ status: 206, body: "234" });
  expect(await ask("app/a.txt", { range: "bytes=7-" })).toEqual({ status: 206, body: "789" });
  expect(await ask("app/a.txt", { range: "bytes=-2" })).toEqual({ status: 206, body: "89" });
  expect((await ask("app/a.txt", { range: "bytes=99-" })).status).toBe(416);
  const line = (name: string, size: string) => `${name.padEnd(35)} ${size.padStart(10)}`;
  const expected = [line("a.txt", "10B"), line("big", "1.3K"), line("d/", "-")].join("\n");
  expect(await ask("app")).toEqual({ status: 200, body: expected });
  expect(await ask("")).toEqual({ status: 200, body: [line("app/", "-"), line("logs/", "-")].join("\n") });
  expect(await ask("app/none")).toEqual({ status: 404, body: "Entity not found.\n" });
  expect(await ask("app/a.txt/b")).toEqual({ status: 404, body: "Entity not found.\n" });
});

test("nothing outside the instance can be read", async () => {
  const world = await deaWorld();
  const ask = await served(world, { ...sleeper, "app/inside.txt": "in" }, (directory) => {
    symlinkSync("/etc/passwd", join(directory, "app", "passwd"));
    symlinkSync("/etc", join(directory, "app", "etc"));
    symlinkSync("inside.txt", join(directory, "app", "link"));
    execFileSync("mkfifo", [join(directory, "app", "pipe")]);
  });
  const refused = { status: 403, body: "Not accessible\n" };
  expect(await ask("app/link")).toEqual({ status: 200, body: "in" });
  for (const path of ["app/passwd", "app/etc/passwd", "app/etc", "app/pipe"]) expect(await ask(path)).toEqual(refused);
  for (const path of ["../../snapshot.json", "app/%2e%2e/%2e%2e/x", "startup", "app/startup", "app/stop"])
    expect(await ask(path)).toEqual(refused);
  expect((await ask("app", { authorization: "Basic bm86bm8=" })).status).toBe(401);
});

test("logs can be read while the app runs and after it crashed; another directory is not found", async () => {
  const world = await deaWorld();
  const instance = await world.launch(shell("echo last words; exit 1"));
  await world.exit(instance);
  const one = await until("the record", () => world.instance(instance));
  const authorization = `Basic ${Buffer.from(one.credentials?.join(":") ?? "").toString("base64")}`;
  const base = new URL(`${one.file_uri}`);
  const log = await raw(base, `/droplets/${one.staged}/logs/stdout.log`, { authorization });
  expect(log).toEqual({ status: 200, body: "last words\n" });
  for (const path of ["/droplets/", "/droplets/other/app", "/", "/etc/passwd"])
    expect((await raw(base, path, { authorization })).status).toBe(404);
});

test("a port that is in use is named with the setting that changes it", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await until("it listens", () => taken.listening);
  const { port } = taken.address() as { port: number };
  const attempt = fileServer({ address: "127.0.0.1", port, find: () => undefined, log: silent });
  const message = expect.stringMatching(new RegExp(`${port} is in use by process ${process.pid} `));
  await expect(attempt).rejects.toMatchObject({ code: "port_in_use", message });
  await expect(attempt).rejects.toMatchObject({ hint: expect.stringContaining("ports.files") });
  taken.close();
});

test("a running app is not harmed by what is asked about it", async () => {
  const world = await deaWorld();
  await world.whenRunning(await world.launch(hello));
  const [one] = await world.found({ droplet: "app-1", path: "app/app.js" });
  expect(one?.file_uri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/droplets\/$/);
});
