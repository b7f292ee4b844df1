import type { RoleName } from "../roles/role.ts";

/** What every node needs: the boot itself fetches with curl and keeps apps away from the metadata service with nft. */
const everywhere = ["ca-certificates", "curl", "nftables"] as const;

/** Debian's names. nats-server and Node come with the agent; tar, gzip and setpriv are in every Debian. */
const byRole: Partial<Record<RoleName, readonly string[]>> = {
  router: ["haproxy"],
  stager: ["npm", "python3", "python3-pip", "python3-venv"],
  dea: ["crun", "python3"],
};

/** The distribution's packages that a node with these roles needs: sorted, each once. */
export function packagesFor(roles: readonly RoleName[]): string[] {
  const all = [...everywhere, ...roles.flatMap((role) => byRole[role] ?? [])];
  return [...new Set(all)].sort();
}
