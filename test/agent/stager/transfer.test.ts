import { once } from "node:events";
import { mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download } from "../../../agent/stager/download.ts";
import { upload } from "../../../agent/stager/upload.ts";

let dir: string;
let server: Server | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tutti-transfer-"));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(dir, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
}

/** A file of that many bytes that takes no room on the disk. */
async function file(bytes: number): Promise<string> {
  const path = join(dir, "file");
  await writeFile(path, "");
  await truncate(path, bytes);
  return path;
}

/** The most memory (MiB) that this process took more than at the beginning while it worked. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 10);
  await work();
  clearInterval(timer);
  return (peak - before) / 2 ** 20;
}

const never = new AbortController().signal;
const mebi = 2 ** 20;

describe("an upload", () => {
  test("says its length, and its name and password as a header", async () => {
    const seen: Record<string, unknown> = {};
    const url = await serve((request, response) => {
      let length = 0;
      request.on("data", (chunk) => {
        length += chunk.length;
      });
      request.on("end", () => {
        Object.assign(seen, { length, ...request.headers });
        response.end();
      });
    });
    await upload(url.replace("//", "//me:p%40ss@"), await file(1000), never);
    expect(Number(seen["content-length"])).toBe(seen["length"]);
    expect(seen["authorization"]).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
  });

  test("of a droplet much larger than it should ever take memory is streamed", async () => {
    const url = await serve((request, response) => request.resume().on("end", () => response.end()));
    const path = await file(768 * mebi);
    expect(await growth(() => upload(url, path, never))).toBeLessThan(256);
  });

  test("that is refused before it is read to its end tells the answer", async () => {
    const url = await serve((request, response) => {
      response.writeHead(413, { connection: "close" }).end("too large");
      request.once("data", () => {});
    });
    const path = await file(64 * mebi);
    await expect(upload(url, path, never)).rejects.toThrow(/413: too large|EPIPE|ECONNRESET/);
  });

  test("whose receiver goes away fails, and one that is aborted ends at once", async () => {
    const url = await serve((request) => request.once("data", () => request.destroy()));
    const path = await file(64 * mebi);
    await expect(upload(url, path, never)).rejects.toThrow();
    const end = new AbortController();
    const deaf = upload(await serve(() => end.abort()), path, end.signal);
    await expect(deaf).rejects.toThrow();
  });
});

describe("a download", () => {
  test("much larger than it should ever take memory is streamed", async () => {
    const block = Buffer.alloc(mebi);
    const url = await serve(async (_request, response) => {
      for (let i = 0; i < 512; i++) if (!response.write(block)) await once(response, "drain");
      response.end();
    });
    const path = join(dir, "got");
    expect(await growth(() => download(url, path, { limit: 1024 * mebi, signal: never }))).toBeLessThan(256);
    expect((await stat(path)).size).toBe(512 * mebi);
  });

  test("never overwrites what is there", async () => {
    const url = await serve((_request, response) => response.end("new"));
    await expect(download(url, await file(1), { limit: 10, signal: never })).rejects.toThrow("EEXIST");
  });
});
