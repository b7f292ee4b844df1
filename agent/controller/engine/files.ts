import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { DeaFound } from "../../bus/messages/instance.ts";
import type { Process } from "../records.ts";
import type { Finder } from "./find.ts";
import { bySeniority } from "./plan.ts";

export interface FileAnswer {
  status: number;
  /** Those that matter to a client: type, length and range. */
  headers: Record<string, string>;
  body: Readable;
}

const refusal = (): FileAnswer => ({ status: 403, headers: {}, body: Readable.from(["Not accessible\n"]) });
const passedOn = ["content-type", "content-length", "content-range", "accept-ranges", "last-modified"];

/**
 * A file or a listing of an instance, from the DEA that holds it. `instance` is a slot (up to ten digits) or an
 * instance's id; of a slot the living instance is taken, else its newest crash. Undefined: no such instance.
 */
export function files(finder: Finder) {
  return async (
    process: Process,
    { instance, path, range }: { instance: string; path: string; range?: string | undefined },
  ): Promise<FileAnswer | undefined> => {
    // A URL with `..` in it would be shortened on its way and name another instance's files.
    if (path.split("/").includes("..")) return refusal();
    const one = await holder(finder, process, instance);
    if (!one?.file_uri || !one.staged) return undefined;
    const headers: Record<string, string> = range ? { range } : {};
    if (one.credentials)
      headers["authorization"] = `Basic ${Buffer.from(one.credentials.join(":")).toString("base64")}`;
    const answer = await fetch(addressOf(one, path), { headers, redirect: "error" });
    const kept = passedOn.flatMap((name) => [[name, answer.headers.get(name)] as const]).filter(([, value]) => value);
    const body = answer.body ? Readable.fromWeb(answer.body as ReadableStream) : Readable.from([]);
    return { status: answer.status, headers: Object.fromEntries(kept) as Record<string, string>, body };
  };
}

async function holder(finder: Finder, process: Process, instance: string): Promise<DeaFound | undefined> {
  const states = ["STARTING" as const, "RUNNING" as const, "CRASHED" as const];
  if (!/^\d{1,10}$/.test(instance)) {
    return (await finder.find(process.guid, { instances: [instance], states, expected: 1 }))[0];
  }
  const indices = [Number(instance)];
  const alive = await finder.alive(process.guid, { indices });
  const found = alive.length > 0 ? alive : await finder.find(process.guid, { indices, states });
  const crashed = found.toSorted((a, b) => b.state_timestamp - a.state_timestamp);
  return alive.toSorted(bySeniority)[0] ?? crashed[0];
}

/** `file_uri` ends with a slash in one generation of DEAs, `staged` begins with one in another. */
function addressOf({ file_uri = "", staged = "" }: DeaFound, path: string): string {
  const parts = [staged, ...path.split("/")].map((part) => part.replace(/^\/+|\/+$/g, "")).filter(Boolean);
  return `${file_uri.replace(/\/+$/, "")}/${parts.map(encodeURIComponent).join("/")}`;
}
