import { type FileHandle, lstat, readdir } from "node:fs/promises";
import type http from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { NotAccessible, openWithin } from "./confined.ts";
import type { FileServerOptions } from "./files.ts";
import { type Entry, listing, parsePath, parseRange, shownAtRoot } from "./listing.ts";

export async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  find: FileServerOptions["find"],
) {
  const wanted = parsePath(request.url ?? "");
  if (wanted === "forbidden") return say(response, 403, "Not accessible\n");
  const root = wanted === "missing" ? undefined : find(wanted.staged);
  if (wanted === "missing" || !root) return say(response, 404, "Entity not found.\n");
  const handle = await openWithin(root, join(root, wanted.path));
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) return say(response, 200, listing(await entries(handle, wanted.path === "")));
    await sendFile(request, response, { handle, size: stat.size });
  } finally {
    await handle.close();
  }
}

async function entries(handle: FileHandle, root: boolean): Promise<Entry[]> {
  // Through the descriptor: the name may lead elsewhere by now.
  const directory = `/proc/self/fd/${handle.fd}`;
  const names = (await readdir(directory)).filter((name) => !root || shownAtRoot.includes(name));
  const seen = await Promise.all(
    names.map(async (name) => ({ name, stat: await lstat(join(directory, name)).catch(() => undefined) })),
  );
  return seen.flatMap(({ name, stat }) => (stat ? [{ name, directory: stat.isDirectory(), size: stat.size }] : []));
}

interface Sent {
  handle: FileHandle;
  size: number;
}

async function sendFile(request: http.IncomingMessage, response: http.ServerResponse, { handle, size }: Sent) {
  const range = parseRange(request.headers.range, size);
  response.setHeader("accept-ranges", "bytes").setHeader("content-type", "text/plain; charset=utf-8");
  if (range === "bad") return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
  const { from, to } = range ?? { from: 0, to: size - 1 };
  if (range) response.setHeader("content-range", `bytes ${from}-${to}/${size}`);
  response.writeHead(range ? 206 : 200, { "content-length": to - from + 1 });
  if (request.method === "HEAD" || size === 0) return void response.end();
  await pipeline(handle.createReadStream({ start: from, end: to, autoClose: false }), response);
}

export function refused(error: unknown): [number, string] {
  if (error instanceof NotAccessible) return [403, "Not accessible\n"];
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code)) return [404, "Entity not found.\n"];
  if (["ELOOP", "ENXIO", "EACCES", "EPERM"].includes(code)) return [403, "Not accessible\n"];
  return [500, "The file could not be read.\n"];
}

export function say(response: http.ServerResponse, status: number, text: string): void {
  const type = "text/plain; charset=utf-8";
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}
