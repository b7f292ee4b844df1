import type { RoleName } from "./role.ts";

export type Architecture = "x64" | "arm64";

export interface InstanceType {
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
}

const size = (gib: number, cpus: number): InstanceType => ({ memory: gib * 1024, cpus });

/** Two general families, one for each architecture, and the ones that are asked for most. Others may be used too. */
const known: Readonly<Record<string, InstanceType>> = {
  ...family(["t3", "t3a", "t4g"], {
    micro: size(1, 2),
    small: size(2, 2),
    medium: size(4, 2),
    large: size(8, 2),
    xlarge: size(16, 4),
    "2xlarge": size(32, 8),
  }),
  ...family(["m5", "m6i", "m6a", "m6g", "m7i", "m7g"], {
    large: size(8, 2),
    xlarge: size(16, 4),
    "2xlarge": size(32, 8),
    "4xlarge": size(64, 16),
  }),
  ...family(["c5", "c6i", "c6a", "c6g", "c7i", "c7g"], {
    large: size(4, 2),
    xlarge: size(8, 4),
    "2xlarge": size(16, 8),
    "4xlarge": size(32, 16),
  }),
  ...family(["r5", "r6i", "r6g", "r7g"], { large: size(16, 2), xlarge: size(32, 4), "2xlarge": size(64, 8) }),
};

function family(names: readonly string[], sizes: Readonly<Record<string, InstanceType>>): Record<string, InstanceType> {
  return Object.fromEntries(
    names.flatMap((name) => Object.entries(sizes).map(([one, type]) => [`${name}.${one}`, type])),
  );
}

/** Size of a type; undefined for one that is not in the table: then nobody but EC2 checks it. */
export function instanceTypeOf(name: string): InstanceType | undefined {
  return known[name];
}

/** Amazon's own rule for names: a `g` after the generation's digit is their ARM processor. */
export function architectureOf(name: string): Architecture {
  return /^[a-z]+\d+[a-z]*g[a-z]*\./.test(name) ? "arm64" : "x64";
}

export function defaultInstanceType(architecture: Architecture): string {
  return architecture === "arm64" ? "t4g.medium" : "t3.medium";
}

/** MiB that the parts of a role want with a little load; the operating system and the agent come on top. */
const needs: Partial<Record<RoleName, number>> = {
  core: 256,
  controller: 384,
  health: 128,
  router: 128,
  stager: 1024,
  dea: 512,
};
const system = 200;

/** MiB that a machine must have for these roles. `apps`: MiB the DEA is told to give to apps. */
export function memoryFor(roles: readonly RoleName[], apps = 0): number {
  const dea = roles.includes("dea") ? Math.max(0, apps - (needs.dea ?? 0)) : 0;
  return roles.reduce((sum, role) => sum + (needs[role] ?? 0), system) + dea;
}

/** The smallest types of the architecture's general family that have so much memory. */
export function typesWith(memory: number, architecture: Architecture): string[] {
  const family = architecture === "arm64" ? ["t4g", "m7g"] : ["t3", "m7i"];
  return Object.entries(known)
    .filter(([name, type]) => family.includes(name.split(".")[0] ?? "") && type.memory >= memory)
    .sort(([, one], [, other]) => one.memory - other.memory)
    .slice(0, 2)
    .map(([name]) => name);
}
