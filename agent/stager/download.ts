import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault } from "../run/fault.ts";

/** Fetches `url` into a new file. `limit` in bytes. Rejects with Fault, or with the connection's error. */
export async function download(
  url: string,
  path: string,
  { limit, signal }: { limit: number; signal: AbortSignal },
): Promise<number> {
  const response = await fetch(...addressed(url, { signal }));
  if (!response.ok) throw await refused(response);
  if (!response.body) throw new Fault("the answer is empty", { code: "empty_answer" });
  let size = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > limit) throw tooBig(limit);
      yield chunk;
    }
  };
  await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(path, { flags: "wx", mode: 0o600 }), {
    signal,
  });
  return size;
}

/** fetch refuses URLs with a name and password: they become a header. */
function addressed(text: string, init: RequestInit): [URL, RequestInit] {
  const url = new URL(text);
  if (!url.username) return [url, init];
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  return [url, { ...init, headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } }];
}

async function refused(response: Response): Promise<Fault> {
  const text = (await response.text().catch(() => "")).slice(0, 300).trim();
  return new Fault(`the controller answered ${response.status}${text && `: ${text}`}`, { code: "refused" });
}

function tooBig(limit: number): Fault {
  const hint = "leave out what is not needed, e.g. in .cfignore";
  return new Fault(`it is larger than ${Math.floor(limit / 2 ** 20)} MiB`, { code: "too_big", hint });
}
