import type { Api } from "./api.ts";
import { plain } from "./show.ts";

/** A line of an app's log. */
export interface Line {
  /** Unix nanoseconds: more than a number holds. */
  at: bigint;
  /** `APP/PROC/WEB`, `STG`, `CELL`, `API`, `HEALTH`, `RTR`. */
  source: string;
  instance: string;
  err: boolean;
  text: string;
}

interface Envelope {
  timestamp: string | number;
  instance_id?: string;
  tags?: Record<string, string>;
  log?: { payload?: string; type?: string };
}

interface Batch {
  envelopes?: { batch?: Envelope[] };
}

export interface Range {
  /** Unix nanoseconds, included. */
  start?: bigint;
  limit: number;
  /** The newest lines of the range instead of the oldest. */
  newest?: boolean;
}

/** Lines of the app's log, oldest first, by Cloud Foundry's log-cache interface. */
export async function readLog(
  api: Api,
  app: { guid: string },
  { start, limit, newest = false }: Range,
): Promise<Line[]> {
  const answer = await api.get<Batch>(`/api/v1/read/${app.guid}`, {
    envelope_types: "LOG",
    limit,
    ...(start !== undefined && { start_time: String(start) }),
    ...(newest && { descending: "true" }),
  });
  const lines = (answer?.envelopes?.batch ?? []).flatMap(lineOf);
  return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function lineOf({ timestamp, instance_id = "", tags = {}, log }: Envelope): Line[] {
  if (log?.payload === undefined) return [];
  const text = Buffer.from(log.payload, "base64").toString("utf8");
  const source = tags["source_type"] ?? "APP";
  return [
    { at: BigInt(timestamp), source, instance: instance_id, err: log.type === "ERR", text: text.replace(/\n$/, "") },
  ];
}

/** Most lines that one question may bring. */
export const batch = 1000;

export interface Follower {
  /** All lines since the last call. */
  next(): Promise<Line[]>;
}

/** Reads on from a point in time without saying a line twice or leaving one out that came late within its nanosecond. */
export function follower(api: Api, app: { guid: string }, from: bigint): Follower {
  let start = from;
  return {
    async next() {
      const found: Line[] = [];
      for (;;) {
        const lines = await readLog(api, app, { start, limit: batch });
        const last = lines.at(-1);
        if (!last) return found;
        found.push(...lines);
        start = last.at + 1n;
        if (lines.length < batch || found.length >= 10 * batch) return found;
      }
    },
  };
}

/**
 * Where the log goes on from here, by the log's own clock: that of the cluster may be minutes off ours. 0 when nothing
 * was said yet.
 */
export async function nextLine(api: Api, app: { guid: string }): Promise<bigint> {
  const last = (await readLog(api, app, { limit: 1, newest: true }).catch((): Line[] => [])).at(-1);
  return last ? last.at + 1n : 0n;
}

/** `2026-01-31T12:00:00.00 [APP/PROC/WEB/0] ERR text`, in the person's own time zone. */
export function lineText({ at, source, instance, err, text }: Line): string {
  const time = new Date(Number(at / 1_000_000n));
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 22)
    .replace("T", " ");
  return `${local} [${source}${instance && /^(APP|CELL)/.test(source) ? `/${instance}` : ""}] ${err ? "ERR" : "OUT"} ${plain(text)}`;
}
