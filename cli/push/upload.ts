import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import { poll } from "../poll.ts";
import type { App, Package } from "../resources.ts";
import { type Entry, worthAsking } from "./tree.ts";
import { zipOf } from "./zip.ts";

/** What is sent of a file that the cluster has: Cloud Foundry's resource, `mode` in octal. */
interface Known {
  path: string;
  mode: string;
  size_in_bytes: number;
  checksum: { value: string };
}

export interface Uploaded {
  package: Package;
  /** Files that did not have to be sent. */
  known: number;
  sent: number;
}

/** Makes a package of the entries. Files that the cluster knows by their checksum are only named. */
export async function upload(
  api: Api,
  app: App,
  { entries, onBytes }: { entries: readonly Entry[]; onBytes(total: number): void },
): Promise<Uploaded> {
  const known = await match(api, entries);
  const fresh = entries.filter((entry) => !known.has(entry.path));
  const one = await api.post<Package>("/v3/packages", {
    type: "bits",
    relationships: { app: { data: { guid: app.guid } } },
  });
  const { headers, body, failure } = multipart([...known.values()], fresh, onBytes);
  try {
    await api.upload(`/v3/packages/${one.guid}/upload`, headers, body);
  } catch (error) {
    // What went wrong with our own files explains more than the connection that broke over it.
    throw failure() ? unread(failure() as NodeJS.ErrnoException) : error;
  }
  return { package: await ready(api, one), known: known.size, sent: fresh.length };
}

async function match(api: Api, entries: readonly Entry[]): Promise<Map<string, Known>> {
  const askable = entries.flatMap(({ path, sha1, size, mode }) =>
    sha1 && size >= worthAsking
      ? [{ path, mode: (0o100000 | mode).toString(8), size_in_bytes: size, checksum: { value: sha1 } }]
      : [],
  );
  const known = new Map<string, Known>();
  for (let at = 0; at < askable.length; at += 1000) {
    const asked = { resources: askable.slice(at, at + 1000) };
    const answer = await api.post<{ resources: { checksum: { value: string } }[] }>("/v3/resource_matches", asked);
    const there = new Set(answer.resources.map((each) => each.checksum.value));
    for (const each of asked.resources) if (there.has(each.checksum.value)) known.set(each.path, each);
  }
  return known;
}

function multipart(known: readonly Known[], fresh: readonly Entry[], onBytes: (total: number) => void) {
  const boundary = `tutti-${randomBytes(16).toString("hex")}`;
  let failed: Error | undefined;
  const part = (name: string, more: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n`;
  async function* pieces() {
    yield Buffer.from(`${part("resources", "\r\ncontent-type: application/json")}${JSON.stringify(known)}\r\n`);
    if (fresh.length) {
      yield Buffer.from(part("bits", '; filename="application.zip"\r\ncontent-type: application/zip'));
      yield* counted(zipOf(fresh), onBytes, (error) => {
        failed = error;
      });
      yield Buffer.from("\r\n");
    }
    yield Buffer.from(`--${boundary}--\r\n`);
  }
  return {
    headers: { "content-type": `multipart/form-data; boundary=${boundary}`, accept: "application/json" },
    body: Readable.from(pieces(), { objectMode: false }),
    failure: () => failed,
  };
}

async function* counted(source: Readable, onBytes: (total: number) => void, onError: (error: Error) => void) {
  let total = 0;
  try {
    for await (const chunk of source) {
      total += chunk.length;
      onBytes(total);
      yield chunk;
    }
  } catch (error) {
    onError(error as Error);
    throw error;
  }
}

/** The cluster looks at every byte of the archive before it believes it. */
async function ready(api: Api, { guid }: Package): Promise<Package> {
  const settled = await poll(async () => {
    const one = await api.get<Package>(`/v3/packages/${guid}`);
    return ["READY", "FAILED", "EXPIRED"].includes(one.state) ? one : undefined;
  }, 600_000);
  if (settled?.state === "READY") return settled;
  throw settled
    ? new Fault(`the cluster refused the upload: ${settled.data?.error ?? "it does not say why"}`, {
        code: "upload_refused",
      })
    : new Fault("the upload is still being looked at after 10 minutes", {
        code: "upload_timeout",
        hint: "tutti status",
      });
}

function unread(error: NodeJS.ErrnoException): Fault {
  return new Fault(`${error.path ?? "a file"} could not be read while it was sent: ${error.message}`, {
    code: "unreadable",
    hint: "it may have changed meanwhile: push again",
    cause: error,
  });
}
