/** Rows of HAProxy's `show stat`, each by column name. */
export function statRows(csv: string): Record<string, string>[] {
  const [head = "", ...lines] = csv.trim().split("\n");
  const names = head.replace(/^# /, "").split(",");
  const row = (line: string) => Object.fromEntries(line.split(",").map((value, i) => [names[i] ?? "", value]));
  return lines.filter((line) => line.trim() !== "").map(row);
}

/** Totals of the public side since HAProxy started. */
export interface Totals {
  requests: number;
  bad_requests: number;
  responses_2xx: number;
  responses_3xx: number;
  responses_4xx: number;
  responses_5xx: number;
  responses_xxx: number;
  bytes_in: number;
  bytes_out: number;
}

export const noTotals: Totals = {
  requests: 0,
  bad_requests: 0,
  responses_2xx: 0,
  responses_3xx: 0,
  responses_4xx: 0,
  responses_5xx: 0,
  responses_xxx: 0,
  bytes_in: 0,
  bytes_out: 0,
};

/** Totals and rates of the frontend. */
export function frontendStats(csv: string): { totals: Totals; connections: number; requests_per_sec: number } {
  const row = statRows(csv)[0] ?? {};
  const n = (name: string) => Number(row[name] ?? 0) || 0;
  const totals = {
    requests: n("req_tot"),
    bad_requests: n("ereq") + n("dreq"),
    responses_2xx: n("hrsp_2xx"),
    responses_3xx: n("hrsp_3xx"),
    responses_4xx: n("hrsp_4xx"),
    responses_5xx: n("hrsp_5xx"),
    responses_xxx: n("hrsp_1xx") + n("hrsp_other"),
    bytes_in: n("bin"),
    bytes_out: n("bout"),
  };
  return { totals, connections: n("scur"), requests_per_sec: n("req_rate") };
}

/** Counters add up over HAProxy processes: each starts from 0. */
export function sum(a: Totals, b: Totals): Totals {
  const keys = Object.keys(a) as (keyof Totals)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Totals;
}

/** Mean milliseconds of the latest requests of all backends, weighted by their number, and that number. */
export function latency(csv: string): { value: number; samples: number } {
  const rows = statRows(csv).map((row) => ({ ms: Number(row["ttime"]) || 0, n: Number(row["stot"]) || 0 }));
  const samples = rows.reduce((all, { n }) => all + n, 0);
  const spent = rows.reduce((all, { ms, n }) => all + ms * n, 0);
  return { value: samples > 0 ? spent / samples : 0, samples };
}
