import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../../support/droplet.ts";

const serve = fileURLToPath(new URL("../../../../agent/stager/static/serve.mjs", import.meta.url));
let dir: string;
let port: number;
let server: ChildProcess;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tutti-site-"));
  const site = join(dir, "site");
  await mkdir(join(site, "docs"), { recursive: true });
  await mkdir(join(site, ".git"));
  await mkdir(join(site, ".well-known"));
  const files = {
    "index.html": "home",
    "docs/index.html": "docs",
    "app.js": "1",
    "ein blatt.txt": "leaf",
    "manifest.yml": "env: {SECRET: 1}",
    ".git/config": "secret",
    ".env": "secret",
    ".well-known/security.txt": "mail us",
    "../secret.txt": "secret",
    "zero.css": "a{}",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(site, name), text);
  await utimes(join(site, "zero.css"), 0, 0);
  await symlink("../secret.txt", join(site, "out.txt"));
  await symlink(".env", join(site, "hidden.txt"));
  await symlink("app.js", join(site, "link.js"));
  port = await freePort();
  server = spawn(process.execPath, [serve, site], { env: { PORT: String(port) }, stdio: "inherit" });
  while (!(await get("/").catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 20));
});
afterAll(async () => {
  server.kill("SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

interface Got {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** fetch would tidy the path up; this sends it as it is. */
async function get(path: string, { method = "GET", headers = {} } = {}): Promise<Got> {
  const asked = request({ port, host: "127.0.0.1", path, method, headers, agent: false });
  asked.end();
  const [response] = await once(asked, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

describe("the static server", () => {
  test("serves files with their types, and index.html for directories", async () => {
    expect(await get("/")).toMatchObject({ status: 200, body: "home" });
    expect((await get("/app.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(await get("/ein%20blatt.txt?x=1")).toMatchObject({ status: 200, body: "leaf" });
    expect((await get("/docs/")).body).toBe("docs");
    expect(await get("/link.js")).toMatchObject({ status: 200, body: "1" });
  });

  test("sends a directory's name without its slash to the one with it, and not to another host", async () => {
    expect(await get("/docs?a=b")).toMatchObject({ status: 301, headers: { location: "/docs/?a=b" } });
    expect((await get("//docs")).headers["location"]).toBe("/docs/");
  });

  test("answers HEAD without a body", async () => {
    expect(await get("/app.js", { method: "HEAD" })).toMatchObject({ body: "", headers: { "content-length": "1" } });
    expect((await get("/app.js", { method: "POST" })).status).toBe(405);
  });

  test("answers 304 to who has the content already", async () => {
    const { headers } = await get("/app.js");
    const tag = String(headers["etag"]);
    expect(await get("/app.js", { headers: { "if-none-match": `W/${tag}, "x"` } })).toMatchObject({
      status: 304,
      body: "",
    });
    expect((await get("/app.js", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
    const since = { "if-modified-since": String(headers["last-modified"]) };
    expect((await get("/app.js", { headers: since })).status).toBe(304);
  });

  test("says nothing of the time of a file whose time is that of every droplet", async () => {
    const { headers } = await get("/zero.css", { headers: { "if-modified-since": new Date().toUTCString() } });
    expect(headers).not.toHaveProperty("last-modified");
    expect(headers["etag"]).toBeTruthy();
  });

  test.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/docs/..%2f..%2fsecret.txt",
    "/..%5csecret.txt",
    "/out.txt",
    "/hidden.txt",
    "/.env",
    "/.git/config",
    "/manifest.yml",
    "/%00",
    "/%zz",
    "/nowhere",
    "/app.js/",
  ])("has no page at %s", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body).toBe("There is nothing at this address.\n");
  });

  test("shows what is meant for the world although its name begins with a dot", async () => {
    expect((await get("/.well-known/security.txt")).body).toBe("mail us");
  });

  test("has the site's own page for what is missing", async () => {
    await writeFile(join(dir, "site/404.html"), "<p>gone</p>");
    expect(await get("/nowhere")).toMatchObject({ status: 404, body: "<p>gone</p>" });
    await rm(join(dir, "site/404.html"));
  });

  test("ends in good order when it is told to", async () => {
    server.kill("SIGTERM");
    expect(await once(server, "exit")).toEqual([0, null]);
  });
});
