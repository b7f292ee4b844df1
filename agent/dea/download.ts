import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "../run/fault.ts";

export class DropletUnavailable extends Fault {
  override name = "DropletUnavailable";
  constructor(reason: string, cause?: unknown) {
    super(`the droplet could not be fetched: ${reason}`, { code: "droplet_unavailable", cause });
  }
}

export async function download(uri: string, { path, sha1, stop }: { path: string; sha1: string; stop: AbortSignal }) {
  const hash = createHash("sha1");
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(await get(uri, stop), meter, createWriteStream(path, { mode: 0o600 }), { signal: stop });
    const sum = hash.digest("hex");
    if (sum !== sha1) throw new DropletUnavailable(`what came has the checksum ${sum}, not ${sha1}`);
    return bytes;
  } catch (error) {
    await rm(path, { force: true });
    if (error instanceof Fault) throw error;
    throw new DropletUnavailable(`${error instanceof Error ? error.message : error} (${nameOf(uri)})`, error);
  }
}

const silence = 30_000;

export function get(uri: string, signal: AbortSignal): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const request = (uri.startsWith("https:") ? https : http).get(uri, { signal, timeout: silence }, (response) => {
    if (response.statusCode === 200) return resolve(response);
    response.resume();
    reject(new DropletUnavailable(`${nameOf(uri)} answered ${response.statusCode}`));
  });
  request.once("error", reject);
  request.once("timeout", () => request.destroy(new Error(`nothing came for ${silence / 1000} s`)));
  return promise;
}

/** The address without what opens it: the query holds a signature. */
function nameOf(uri: string): string {
  const { origin, pathname } = new URL(uri);
  return origin + pathname;
}
