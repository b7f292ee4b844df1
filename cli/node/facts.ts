/** What a machine has told of itself. */
export interface MachineFacts {
  readonly architecture: "x64" | "arm64" | undefined;
  /** As the kernel calls it. */
  readonly kernelArchitecture: string;
  readonly host: string;
  /** Of /etc/machine-id; "" when it has none. */
  readonly machine: string;
  readonly distribution: string;
  /** IP at which cores see it; "" when there is no way to them. */
  readonly address: string;
  /** Programs that are missing. */
  readonly lacks: readonly string[];
  /** Id of the node and name of the cluster that it is; "" when it is none. */
  readonly node: string;
  readonly cluster: string;
  /** The bundle that is used, and those that are there. */
  readonly current: string;
  readonly bundles: readonly string[];
  /** KiB free where bundles go. */
  readonly free: number;
}

const architectures: Readonly<Record<string, "x64" | "arm64">> = { x86_64: "x64", aarch64: "arm64" };

/** The lines of `look.sh`. */
export function readFacts(text: string): MachineFacts {
  const lines = text.split("\n").map((line) => /^(\S+) (.*)$/.exec(line.trim()) ?? []);
  const all = (word: string) => lines.flatMap(([, name, value]) => (name === word && value ? [value] : []));
  const one = (word: string) => all(word)[0] ?? "";
  const kernelArchitecture = one("architecture");
  return {
    ...{ kernelArchitecture, architecture: architectures[kernelArchitecture] },
    ...{ host: one("host"), machine: one("machine"), distribution: one("distribution"), address: one("address") },
    ...{ node: one("node"), cluster: one("cluster"), current: one("current"), free: Number(one("free")) || 0 },
    ...{ lacks: all("lacks"), bundles: all("bundle") },
  };
}

/** A machine's own name as a node's: its first word, as far as a node may be called so; "" when nothing is left. */
export function nameFrom(host: string): string {
  const [first = ""] = host.toLowerCase().split(".");
  return first
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
}
