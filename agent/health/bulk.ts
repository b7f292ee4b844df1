import { z } from "zod";
import type { Bus } from "../bus/bus.ts";
import { subjects } from "../bus/subjects.ts";
import type { Desired, DesiredRun } from "./wanted.ts";

/** The desired state could not be read, or not completely. `message` says where it ended. */
export class BulkFailed extends Error {
  override name = "BulkFailed";
}

const page = z.object({ results: z.record(z.string(), z.record(z.string(), z.unknown())), bulk_token: z.unknown() });

const row = z.object({
  instances: z.number().int().min(0),
  state: z.enum(["STARTED", "STOPPED"]),
  version: z.union([z.string(), z.number()]).transform(String),
  package_state: z.string(),
  updated_at: z.string(),
  memory: z.number().default(0),
  // Ours: the app whose log tells of this process.
  app_guid: z.string().optional(),
});

export interface BulkOptions {
  bus: Bus;
  /** Milliseconds. */
  beat: number;
  /** Rows of one page. */
  pageSize?: number;
  /** For controllers that do not tell it in their credentials. */
  url?: string;
}

/** Reads the desired state. Either all of it or nothing: half a truth would look like apps that are gone. */
export interface Bulk {
  /** Rejects with BulkFailed. */
  read(stop: AbortSignal): Promise<DesiredRun>;
}

interface Access {
  authorization: string;
  url: string;
}

/** Failures in a row after which name and password are asked for again: the controller may have moved. */
const patience = 3;
const mostPages = 100_000;

export function bulk({ bus, beat, pageSize = 500, url }: BulkOptions): Bulk {
  let access: Access | undefined;
  let failures = 0;
  async function ask(): Promise<Access> {
    const answer = await bus.request(subjects.bulkCredentials, {}, { timeout: 5 * beat });
    if (!answer) throw new BulkFailed("no controller tells the password of the bulk interface");
    const base = answer.url ?? url;
    if (!base) throw new BulkFailed("the controller does not say where its bulk interface is");
    const pair = Buffer.from(`${answer.user}:${answer.password}`).toString("base64");
    return { authorization: `Basic ${pair}`, url: base.replace(/\/$/, "") };
  }
  return {
    async read(stop) {
      try {
        access ??= await ask();
        const run = await readAll(access, { pageSize, stop, timeout: 10 * beat });
        failures = 0;
        return run;
      } catch (error) {
        if (++failures >= patience || error instanceof Refused) access = undefined;
        if (error instanceof BulkFailed) throw error;
        throw new BulkFailed(`the desired state could not be read: ${reason(error)}`, { cause: error });
      }
    },
  };
}

/** The password is not, or no longer, right. */
class Refused extends BulkFailed {
  override name = "Refused";
}

interface Reading {
  pageSize: number;
  stop: AbortSignal;
  /** Milliseconds for one page. */
  timeout: number;
}

/** Page by page until an empty one: a short page is no end. */
async function readAll(access: Access, reading: Reading): Promise<DesiredRun> {
  const apps = new Map<string, Desired>();
  const unreadable = new Set<string>();
  let token = "{}";
  for (let count = 0; count < mostPages; count++) {
    const { results, bulk_token } = await readPage(access, token, reading);
    const rows = Object.entries(results);
    if (rows.length === 0) return { apps: [...apps.values()], unreadable: [...unreadable] };
    for (const [droplet, value] of rows) {
      const desired = parse(droplet, value);
      if (desired) apps.set(droplet, desired);
      else unreadable.add(droplet);
    }
    const next = JSON.stringify(bulk_token ?? {});
    if (next === token) throw new BulkFailed("the bulk interface gives the same page again and again");
    token = next;
  }
  throw new BulkFailed("the bulk interface has no end");
}

async function readPage(access: Access, token: string, { pageSize, stop, timeout }: Reading) {
  const query = new URLSearchParams({ batch_size: String(pageSize), bulk_token: token });
  const answer = await fetch(`${access.url}/bulk/apps?${query}`, {
    headers: { authorization: access.authorization },
    redirect: "error",
    signal: AbortSignal.any([stop, AbortSignal.timeout(timeout)]),
  });
  if (answer.status === 401) throw new Refused("the bulk interface refuses our password");
  if (!answer.ok) throw new BulkFailed(`the bulk interface answers ${answer.status}`);
  const parsed = page.safeParse(await answer.json());
  if (!parsed.success)
    throw new BulkFailed(`a page of the bulk interface makes no sense: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** A row as the desired state of a process; undefined when it makes no sense. */
function parse(droplet: string, value: Record<string, unknown>): Desired | undefined {
  // null equals absent, as everywhere in this protocol.
  const { data } = row.safeParse(Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null)));
  const updatedAt = Math.floor(Date.parse(data?.updated_at ?? "") / 1000);
  if (!data || Number.isNaN(updatedAt)) return undefined;
  const { instances, state, version, memory } = data;
  const staged = data.package_state === "STAGED";
  return { droplet, version, instances, state, staged, updatedAt, memory, app: data.app_guid ?? droplet };
}

// fetch hides what happened behind "fetch failed".
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}
