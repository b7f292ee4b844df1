import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Subscription } from "../../bus/bus.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import { dropletOf } from "./deploy.ts";
import type { EngineOptions } from "./options.ts";
import { sameText } from "./signed.ts";

const user = "bulk_api";

/** Tells health managers how to read the bulk interface. */
export function bulkCredentials({ bus, keys, url }: Pick<EngineOptions, "bus" | "keys" | "url">): Subscription {
  const heard = [subjects.bulkCredentials, subjects.bulkCredentialsPartition].map((subject) =>
    bus.subscribe(subject, (_nothing, message) => message.reply({ user, password: keys.bulk, url: url() })),
  );
  return { stop: () => heard.forEach((one) => void one.stop()) };
}

const token = z.object({ id: z.string().nullish() });
const query = z.object({
  batch_size: z.coerce.number().int().min(1).max(10_000).default(200),
  bulk_token: z.preprocess((text) => JSON.parse(String(text ?? "{}")), token),
});

/** `GET /bulk/apps` and `/bulk/counts`: what health managers compare with what they see. Basic authentication. */
export function bulkRoutes(app: FastifyInstance, { tables, keys }: Pick<EngineOptions, "tables" | "keys">): void {
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!mayRead(request.headers.authorization, keys.bulk))
      return reply.code(401).header("www-authenticate", "Basic").send({ description: "wrong name or password" });
  };
  app.get("/bulk/apps", { onRequest }, async (request, reply) => {
    const asked = parseQuery(request.query);
    if (!asked) return reply.code(400).send({ description: "bulk_token must be what the last page returned" });
    return page(tables, asked.bulk_token.id ?? "", asked.batch_size);
  });
  app.get("/bulk/counts", { onRequest }, async (request) => ({
    counts: counts(tables, (request.query as { model?: string }).model),
  }));
}

function parseQuery(value: unknown) {
  try {
    return query.parse(value);
  } catch {
    return undefined;
  }
}

function mayRead(header: string | undefined, password: string): boolean {
  return sameText(header ?? "", `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`);
}

/** At most `size` processes after `last`, in order of their guids; an empty page is the end. */
export function page(tables: Tables, last: string, size: number) {
  const order = (a: Process, b: Process) => (a.guid < b.guid ? -1 : 1);
  const after = tables.processes.all().filter((one) => one.guid > last);
  const some = after.sort(order).slice(0, size);
  const id = some.at(-1)?.guid;
  const entries = some.map((one) => entry(tables, one));
  return { results: Object.fromEntries(entries.map((one) => [one.id, one])), bulk_token: id ? { id } : {} };
}

function entry(tables: Tables, process: Process) {
  const app = tables.apps.get(process.app);
  const droplet = app && dropletOf(tables, process, app);
  return {
    id: process.guid,
    app_guid: process.app,
    name: app?.name ?? "",
    instances: process.instances,
    // A process without its app is on its way out.
    state: app?.state ?? "STOPPED",
    memory: process.memory_in_mb,
    package_state: droplet ? "STAGED" : "PENDING",
    updated_at: process.updated_at,
    version: process.version,
    framework: droplet?.detected_framework ?? "",
    runtime: "",
  };
}

function counts(tables: Tables, model: string | undefined): Record<string, number> {
  if (model === "user") return { user: tables.users.all().length };
  if (model === "app") return { app: tables.apps.all().length };
  return {};
}
