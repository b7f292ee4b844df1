import type { LogEntry } from "../engine.ts";
import { type Api, type Call, type Endpoint, get, open } from "./api.ts";
import { badRequest, found } from "./errors.ts";

/** Lines in one answer: log-cache's own numbers. */
const usual = 100;
const most = 1000;

/** The generation of log-cache whose paths these are: clients look it up before they read. */
const generation = "3.1.0";

/** The reading side of log-cache, as its clients speak it (JSON of the protocol buffers). */
export function logCache(api: Api): Endpoint[] {
  const began = Date.now();
  return [
    open(
      get("/api/v1/info", () => ({ version: generation, vm_uptime: String(Math.floor((Date.now() - began) / 1000)) })),
    ),
    get("/api/v1/read/:guid", (call) => read(api, call)),
    get("/api/v1/meta", () => ({ meta: {} })),
  ];
}

async function read(api: Api, { params, query }: Call) {
  const { guid } = found(await api.tables.apps.find(params["guid"] ?? ""), "App");
  const { start_time, end_time, envelope_types, descending } = query;
  const entries = api.engine.logs(guid, {
    start: nanoseconds("start_time", start_time),
    end: nanoseconds("end_time", end_time),
    limit: Math.min(most, Number(nanoseconds("limit", query["limit"]) ?? usual)),
    descending: descending === "true",
    types: envelope_types?.split(","),
  });
  return { envelopes: { batch: entries.map((entry) => envelope(guid, entry)) } };
}

/** log-cache takes a negative start for "so long ago that it does not matter". */
function nanoseconds(name: string, text: string | undefined): bigint | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^-?\d{1,19}$/.test(text)) throw badRequest(`${name} must be an integer`);
  return text.startsWith("-") ? 0n : BigInt(text);
}

function envelope(guid: string, { at, source, instance, err, text }: LogEntry) {
  const index = instance || "0";
  return {
    timestamp: String(at),
    source_id: guid,
    instance_id: index,
    deprecated_tags: {},
    tags: { source_type: source, instance_id: index, app_id: guid, origin: "tutti" },
    log: { payload: Buffer.from(text).toString("base64"), type: err ? "ERR" : "OUT" },
  };
}
