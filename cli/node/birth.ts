import { type MachineFile, machineFiles } from "../../cloudinit/render.ts";
import { type Birth, birth as birthShape } from "../../roles/birth.ts";
import { near } from "../../roles/near.ts";
import { type RoleName, roleName, roles } from "../../roles/role.ts";
import { Fault, wrongUsage } from "../fault.ts";
import type { LocalBundle } from "./bundles.ts";
import type { MachineFacts } from "./facts.ts";
import type { Claimed } from "./membership.ts";

/** Where a machine keeps what nobody on it could find out: its boot takes it as it is. */
const factsFile = "/etc/tutti/facts.json";
/** The birth itself. */
export const birthFile = "/etc/tutti/birth.json";

/** Roles as they were typed: `--role dea --role stager` or `--role dea,stager`. Throws a Fault for what cannot be had. */
export function rolesFrom(typed: readonly string[]): RoleName[] {
  const words = typed.flatMap((one) => one.split(",")).map((one) => one.trim());
  const wanted = [...new Set(words.filter(Boolean))].map(roleFrom);
  if (wanted.length > 0) return wanted;
  throw wrongUsage("which roles shall it have?", "e.g. --role dea; tutti role list shows them all");
}

function roleFrom(word: string): RoleName {
  const { success, data } = roleName.safeParse(word);
  const known = roleName.options.filter((one) => roles[one].available);
  const meant = near(word, known);
  if (!success)
    throw wrongUsage(`there is no role ${word}`, meant ? `did you mean ${meant}?` : `there are: ${known.join(", ")}`);
  if (!roles[data].available) throw wrongUsage(`${data} cannot be run yet`, `there are: ${known.join(", ")}`);
  if (data !== "core") return data;
  throw wrongUsage(
    "a core cannot be attached: all nodes know the cores from their birth",
    "declare it in cluster.yaml, with 1, 3 or 5 of them",
  );
}

/** Why a machine cannot become a node; undefined when it can. */
export function unfit(
  facts: MachineFacts,
  wanted: { readonly node: string; readonly cluster: string },
): Fault | undefined {
  const fault = (message: string, hint: string) => new Fault(message, { code: "unfit", hint });
  if (!facts.architecture)
    return fault(`its processor is ${facts.kernelArchitecture || "unknown"}`, "x86_64 and aarch64 will do");
  if (facts.lacks.length > 0)
    return fault(`it has no ${facts.lacks.join(", ")}`, "Debian 12 with systemd has all that is needed");
  if (!facts.machine)
    return fault("it has no name of its own: /etc/machine-id is empty", "systemd-machine-id-setup makes one");
  if (!facts.address)
    return fault(
      "it finds no way to the cluster's cores",
      "is it in a network with them? Else name its address: --address IP",
    );
  if (facts.node && facts.cluster !== wanted.cluster)
    return fault(
      `it is the node ${facts.node} of the cluster ${facts.cluster}`,
      `remove it there first: tutti node remove ${facts.node}`,
    );
  if (facts.node && facts.node !== wanted.node)
    return fault(`it is a node already: ${facts.node}`, `remove it first: tutti node remove ${facts.node}`);
  return undefined;
}

export interface Newborn {
  readonly claimed: Claimed;
  readonly facts: MachineFacts;
  readonly bundle: LocalBundle;
  readonly zone: string;
}

/** What cloud-init would write on a machine of EC2, and what nobody but us can tell this one. */
export function filesOf({ claimed, facts, bundle, zone }: Newborn): MachineFile[] {
  const { claim, cores, ca, newcomer, node, roles: wanted } = claimed;
  const { cluster, domain, beat, crashLifetime, ports } = newcomer;
  const index = Number(/-(\d{1,6})$/.exec(node)?.[1] ?? 0);
  const birth = birthShape.parse({
    node: { id: node, cluster, domain, roles: wanted, index, zone, beat, crashLifetime, ports },
    ...{ cores, ca, claim, region: "", baked: false },
    // It is there before the boot looks for it: nobody has to be asked.
    bundle: { version: bundle.version, sha256: bundle.sha256, sources: ["brought by tutti node attach"] },
  });
  const known = { address: facts.address, instance: facts.machine, zone, type: "machine" };
  return [...machineFiles(birth), { path: factsFile, mode: "0644", text: `${JSON.stringify(known)}\n` }];
}

/** The same machine with another bundle: its own birth, and the files of this version around it. Throws a Fault. */
export function filesWith(text: string, { version, sha256 }: Pick<LocalBundle, "version" | "sha256">): MachineFile[] {
  const before = birthIn(text);
  return machineFiles({ ...before, bundle: { ...before.bundle, version, sha256 } });
}

function birthIn(text: string): Birth {
  try {
    return birthShape.parse(JSON.parse(text));
  } catch (cause) {
    // What was read holds a claim: it is not shown.
    throw new Fault(`${birthFile} is of a version that this one does not know`, {
      code: "old_birth",
      hint: "let the machine be made anew: give its group another name in cluster.yaml, or attach it again",
      cause,
    });
  }
}
