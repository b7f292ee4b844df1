import { type Permissions, permissions, type Row, storeAccess, unique } from "./permissions.ts";
import { at, type Party, pattern, type Subject } from "./subject.ts";

/** A node of a cluster of several, as far as its permissions go. */
export interface Speaker {
  /** Node id. */
  readonly id: string;
  readonly deaId: string;
  readonly roles: readonly string[];
}

const parties: readonly Party[] = ["controller", "dea", "health", "router", "stager"];

/** The parties of the table that a node speaks for: those of its roles, and the agent itself. */
export function partiesOf(roles: readonly string[]): Party[] {
  return ["node", ...parties.filter((party) => roles.includes(party))];
}

/** The name under which a node says what it says of itself. */
export function byName(node: string, name: string): string {
  return `tutti.v1.by.${node}.${name}`;
}

/**
 * What one node may say and hear: what its roles need, with its own tokens only. What it says of itself goes through a
 * core, and its agent does without the store, so that a stolen key reads and changes nothing of others.
 */
export function memberPermissions(table: Record<string, Row>, member: Speaker): Permissions {
  const { id, deaId, roles } = member;
  const mine = partiesOf(roles);
  const rows = Object.values(table);
  const filled = (row: Row, tokens: Record<string, string>) => pattern(at(row as Subject<unknown>, tokens));
  const say = (row: Row) => (row.of ? byName(id, row.name) : filled(row, { node: id }));
  const hear = (row: Row) => {
    const subject = filled(row, { node: id, ...(row.name === "dea.{uuid}.start" ? { uuid: deaId } : {}) });
    return row.queue ? `${subject} ${row.queue}` : subject;
  };
  const spoken = rows.filter(({ speakers }) => mine.some((party) => speakers.includes(party)));
  const heard = rows.filter(({ listeners }) => mine.some((party) => listeners.includes(party)));
  const stored = mine.filter((party) => party !== "node").flatMap(storeAccess);
  const alone = mine.map((party) => permissions({}, party).responses.seconds);
  return {
    publish: unique([...spoken.map(say), ...stored]),
    subscribe: { allow: unique([...heard.map(hear), `_INBOX_${id}.>`]), deny: [] },
    responses: { max: 1000, seconds: Math.max(...alone) },
  };
}

/**
 * The core of a cluster of several lets nodes in, passes on what they say of themselves, and minds the store. It holds
 * the cluster's identity, so that limits to what it says would protect nobody; and the right to answer, which is what
 * others have, does not outlast a reload of the server, while every admission makes one.
 */
export function corePermissions(table: Record<string, Row>): Permissions {
  const { subscribe, ...base } = permissions(table, "core");
  return { ...base, publish: [">"], subscribe: { ...subscribe, allow: [...subscribe.allow, "tutti.v1.by.*.> core"] } };
}
