import { near } from "../roles/near.ts";
import { roles as catalogue, type Role } from "../roles/role.ts";
import type { Call } from "./call.ts";
import { type Node, nodes } from "./cluster.ts";
import { wrongUsage } from "./fault.ts";
import { session } from "./session.ts";
import { facts, table } from "./show.ts";

const known: Readonly<Record<string, Role>> = catalogue;

/** `tutti role list`: every role and the nodes that have it. */
export async function roleList(call: Call): Promise<void> {
  const { api } = await session(call);
  const all = await nodes(api);
  const rows = Object.entries(known).map(([name, role]) => ({
    name,
    what: role.what,
    available: role.available,
    nodes: withRole(all, name),
  }));
  call.io.result(
    { ok: true, roles: rows },
    table(
      ["ROLE", "NODES", "WHAT FOR"],
      rows.map(({ name, what, available, nodes: having }) => [
        name,
        having.join(", ") || "-",
        available ? what : `${what} (not there yet)`,
      ]),
      "",
    ),
  );
}

/** `tutti role info ROLE…`; needs no cluster to explain a word. */
export async function roleInfo(call: Call): Promise<void> {
  const names = call.args.flat().length ? call.args.flat() : Object.keys(known);
  const wrong = names.find((name) => !Object.hasOwn(known, name));
  if (wrong !== undefined) {
    const meant = near(wrong, Object.keys(known));
    throw wrongUsage(
      `there is no role "${wrong}"`,
      meant ? `did you mean ${meant}?` : `roles: ${Object.keys(known).join(", ")}`,
    );
  }
  const all = await session(call)
    .then(({ api }) => nodes(api))
    .catch((): Node[] => []);
  const found = names.map((name) => ({ name, ...described(known[name]), nodes: withRole(all, name) }));
  const texts = found.map((role) =>
    facts([
      ["role", role.name],
      ["what for", role.what],
      ["components", role.components.join(", ") || "-"],
      ["ports", role.ports.map(({ name, audience }) => `${name} (for ${audience})`).join(", ") || "-"],
      ["nodes", role.nodes.join(", ") || "-"],
    ]),
  );
  call.io.result({ ok: true, roles: found }, texts.join("\n\n"));
}

function described(role: Role | undefined) {
  return {
    what: role?.what ?? "",
    components: role?.components ?? [],
    ports: role?.ports ?? [],
    available: role?.available ?? false,
  };
}

function withRole(all: readonly Node[], role: string): string[] {
  return all.filter((node) => node.roles.includes(role)).map((node) => node.id);
}
