import type { Call } from "./call.ts";
import { nodes } from "./cluster.ts";
import { place, session } from "./session.ts";
import { facts } from "./show.ts";

interface V3Info {
  name?: string;
  build?: string;
  description?: string;
  custom?: { domain?: string };
}

/** `tutti info`: where we are, who we are, and kato's two headings: roles assigned and available. */
export async function info(call: Call): Promise<void> {
  const opened = await session(call);
  const { api, config } = opened;
  const [about, all, where] = await Promise.all([
    api.get<V3Info>("/v3/info"),
    nodes(api),
    place(opened, call).catch(() => undefined),
  ]);
  const { roles } = await import("../roles/role.ts");
  const assigned = [...new Set(all.flatMap((node) => node.roles))];
  const available = Object.entries(roles).flatMap(([name, role]) =>
    role.available && !assigned.includes(name) ? [name] : [],
  );
  const value = {
    target: api.target,
    user: config.user,
    organization: where?.organization.name,
    space: where?.space.name,
    version: about.build,
    domain: about.custom?.domain,
    nodes: all.length,
    assigned,
    available,
  };
  call.io.result(
    { ok: true, ...value },
    facts([
      ["target", api.target],
      ["user", config.user ?? "-"],
      ["space", where ? `${where.organization.name} / ${where.space.name}` : "-"],
      ["cluster", `${about.name ?? "cluster"} ${about.build ?? ""}`.trim()],
      ["domain", about.custom?.domain ?? "-"],
      ["nodes", String(all.length)],
      ["roles assigned", assigned.join(", ") || "none"],
      ["roles available", available.join(", ") || "none more"],
    ]),
  );
}
