import type { Call, Href, Query } from "./api.ts";
import { badQuery } from "./errors.ts";
import { stamp } from "./fresh.ts";
import { labelSelector } from "./selector.ts";

interface Listed {
  guid: string;
  created_at: string;
  updated_at: string;
}

/** How one kind of record can be listed. */
export interface Listing<T> {
  /** Filters beside guids and times: a record passes when it fits one of the values. */
  filters?: Readonly<Record<string, (record: T, values: readonly string[]) => boolean>>;
  /** Orders beside created_at and updated_at. */
  orders?: Readonly<Record<string, (record: T) => string | number>>;
  labels?: (record: T) => Readonly<Record<string, string>>;
  /** What `include` may name. */
  includes?: readonly string[];
  /** Parameters that are taken and make no difference here. */
  ignored?: readonly string[];
}

interface Pagination {
  total_results: number;
  total_pages: number;
  first: Href;
  last: Href;
  next: Href | null;
  previous: Href | null;
}

const times: readonly (keyof Listed & string)[] = ["created_at", "updated_at"];

/** The records that the query asks for, all pages of them. Rejects unknown parameters, as Cloud Foundry does. */
export function select<T extends Listed>(records: readonly T[], query: Query, listing: Listing<T>): T[] {
  checkNames(query, listing);
  let chosen = [...records];
  for (const [name, text] of Object.entries(query)) {
    const passes = filterOf(name, text, listing);
    if (passes) chosen = chosen.filter(passes);
  }
  return sorted(chosen, query["order_by"] ?? "", listing);
}

export interface Page<T> {
  pagination: Pagination;
  records: T[];
}

/** One page, with links to its neighbours. */
export function page<T>(
  records: readonly T[],
  { query, base, request }: Pick<Call, "query" | "base" | "request">,
): Page<T> {
  const number = positive("page", query["page"] ?? "1", Number.MAX_SAFE_INTEGER);
  const size = positive("per_page", query["per_page"] ?? "50", 5000);
  const pages = Math.max(1, Math.ceil(records.length / size));
  const path = request.url.split("?")[0] ?? "";
  const link = (to: number): Href => {
    const rest = Object.entries(query).filter(([name]) => name !== "page" && name !== "per_page");
    const text = new URLSearchParams([["page", String(to)], ["per_page", String(size)], ...rest]);
    return { href: `${base}${path}?${text}` };
  };
  return {
    pagination: {
      total_results: records.length,
      total_pages: pages,
      first: link(1),
      last: link(pages),
      next: number < pages ? link(number + 1) : null,
      previous: number > 1 ? link(number - 1) : null,
    },
    records: records.slice((number - 1) * size, number * size),
  };
}

/** Selects, cuts out the page and presents it. */
export function list<T extends Listed>(
  records: readonly T[],
  call: Call,
  { listing = {}, show }: { listing?: Listing<T>; show: (record: T) => unknown },
): { pagination: Pagination; resources: unknown[] } {
  const { pagination, records: shown } = page(select(records, call.query, listing), call);
  return { pagination, resources: shown.map(show) };
}

/** A filter that compares one property of the record. */
export const by =
  <T>(property: (record: T) => string | undefined) =>
  (record: T, values: readonly string[]): boolean =>
    values.includes(property(record) ?? "");

function checkNames<T>(query: Query, { filters = {}, labels, includes, ignored = [] }: Listing<T>): void {
  const known = ["page", "per_page", "order_by", "created_ats", "updated_ats", "guids", ...Object.keys(filters)];
  if (labels) known.push("label_selector");
  if (includes) known.push("include");
  known.push(...ignored);
  const unknown = Object.keys(query).filter((name) => !known.includes(name.replace(/\[(lt|lte|gt|gte)\]$/, "")));
  if (unknown.length === 0) return;
  throw badQuery(
    `Unknown query parameter(s): '${unknown.join("', '")}'. Valid parameters are: '${known.join("', '")}'`,
  );
}

function filterOf<T extends Listed>(
  name: string,
  text: string,
  listing: Listing<T>,
): ((record: T) => boolean) | undefined {
  const values = text.split(/,\s*/).map(decoded);
  const own = listing.filters?.[name];
  if (own) return (record) => own(record, values);
  if (name === "guids") return ({ guid }) => values.includes(guid);
  const [, time, relation] = /^(created_at|updated_at)s(?:\[(\w+)\])?$/.exec(name) ?? [];
  if (time === "created_at" || time === "updated_at") return timeFilter(time, relation, values);
  const { labels } = listing;
  if (name !== "label_selector" || !labels) return undefined;
  const holds = labelSelector(text);
  return (record) => holds(labels(record));
}

/** A comma inside a value travels as %2C: twice encoded in the address, once here. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function timeFilter(property: "created_at" | "updated_at", relation: string | undefined, values: readonly string[]) {
  for (const value of values)
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value))
      throw badQuery(
        `${property}s has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'`,
      );
  const [limit = ""] = values;
  return (record: Listed) => {
    const time = stamp(record[property]);
    if (relation === "lt") return time < limit;
    if (relation === "lte") return time <= limit;
    if (relation === "gt") return time > limit;
    if (relation === "gte") return time >= limit;
    return values.includes(time);
  };
}

function sorted<T extends Listed>(records: T[], order: string, { orders = {} }: Listing<T>): T[] {
  const [, sign = "", name = "created_at"] = /^([+-]?)(\w+)$/.exec(order.trim()) ?? [];
  const names = [...times, ...Object.keys(orders)];
  if (order && (!/^[+-]?\w+$/.test(order.trim()) || !names.includes(name)))
    throw badQuery(`Order by can only be: '${names.join("', '")}'`);
  const key = orders[name] ?? ((record: T) => (name === "updated_at" ? record.updated_at : record.created_at));
  const compare = (one: T, other: T) =>
    ascending(key(one), key(other)) || ascending(one.created_at, other.created_at) || ascending(one.guid, other.guid);
  const up = records.sort(compare);
  return sign === "-" ? up.reverse() : up;
}

const ascending = <T extends string | number>(one: T, other: T) => (one < other ? -1 : one > other ? 1 : 0);

function positive(name: string, text: string, most: number): number {
  const value = Number(text);
  const label = name === "page" ? "Page" : "Per page";
  if (!/^\d+$/.test(text) || value < 1) throw badQuery(`${label} must be a positive integer`);
  if (value > most) throw badQuery(`${label} must be between 1 and ${most}`);
  return value;
}
