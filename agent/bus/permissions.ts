import { at, type Party, pattern, type Subject } from "./subject.ts";

/** A user of the server: a party of the table, or `watch`, the operator's pair of eyes. */
export type BusUser = Party | "watch";
export const busUsers: readonly BusUser[] = [
  "controller",
  "dea",
  "health",
  "router",
  "stager",
  "core",
  "node",
  "joiner",
  "tool",
  "watch",
];

/** What the server lets a user do. A subscription `subject queue` may only be made in that queue group. */
export interface Permissions {
  publish: string[];
  subscribe: { allow: string[]; deny: string[] };
  /** How many answers a user may send to one request, and for how many seconds. */
  responses: { max: number; seconds: number };
}

export interface PermissionOptions {
  /** A DEA whose id is known hears only its own start messages. */
  deaId?: string;
}

/** What permissions are made of. */
export type Row = Pick<Subject<unknown, unknown>, "name" | "speakers" | "listeners" | "queue" | "of">;

// A stager answers when the app is built, all others at once.
const stagingTime = 900;
const answerTime = 10;

/** The permissions of a user, from the table of subjects and from who uses the store. */
export function permissions(table: Record<string, Row>, user: BusUser, options: PermissionOptions = {}): Permissions {
  const party = user === "watch" ? "tool" : user;
  const rows = Object.values(table);
  const spoken = rows.filter((row) => row.speakers.includes(party)).map(pattern);
  const heard = rows.filter((row) => row.listeners.includes(party)).map((row) => listening(row, options));
  const subscribe = everythingHeard(user, rows) ?? heard;
  return {
    publish: unique([...spoken, ...storeAccess(user)]),
    subscribe: { allow: unique([...subscribe, `_INBOX_${user}.>`]), deny: user === "watch" ? internals : [] },
    responses: { max: 1000, seconds: user === "stager" ? stagingTime : answerTime },
  };
}

function listening(row: Row, { deaId }: PermissionOptions): string {
  const subject = pattern(
    row.name === "dea.{uuid}.start" && deaId ? at(row as Subject<unknown>, { uuid: deaId }) : row,
  );
  return row.queue ? `${subject} ${row.queue}` : subject;
}

// The store's own traffic holds everything that is kept, password hashes included.
const internals = ["$JS.>", "$SYS.>", "$KV.>", "$O.>"];

function everythingHeard(user: BusUser, rows: readonly Row[]): string[] | undefined {
  if (user === "watch") return [">"];
  // The recorder in the core hears the whole table, outside of the queue groups.
  return user === "core" ? rows.map(pattern) : undefined;
}

const consumers = ["$JS.API.CONSUMER.CREATE", "$JS.API.CONSUMER.DELETE", "$JS.API.CONSUMER.INFO"];

/** What the store and the blobs of `agent/store` publish; a party that uses neither gets none of it. */
export function storeAccess(user: BusUser): string[] {
  if (user === "controller") return ["$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>", "$O.>"];
  if (user !== "health" && user !== "node" && user !== "core") return [];
  const stream = ["STREAM.INFO", "STREAM.CREATE", "STREAM.MSG.GET"].map((call) => `$JS.API.${call}.KV_tutti`);
  return ["$JS.API.INFO", ...stream, ...consumers.map((call) => `${call}.KV_tutti.>`), "$JS.FC.>", "$KV.tutti.>"];
}

export const unique = (list: string[]): string[] => [...new Set(list)];
