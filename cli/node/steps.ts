import { readFileSync } from "node:fs";
import { asRoot } from "../../bootstrap/commands.ts";
import type { MachineFile } from "../../cloudinit/render.ts";

// What is run on a machine over ssh, as data: tests compare texts, and one gate runs them. Secrets are in `stdin` only.

/** One step on a machine. Each may be repeated. */
export interface MachineStep {
  readonly name: string;
  readonly command: string;
  readonly stdin?: string;
}

const script = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const scripts = {
  look: script("look.sh"),
  deliver: script("deliver.sh"),
  install: script("install.sh"),
  settle: script("settle.sh"),
  farewell: script("farewell.sh"),
  receipts: script("receipts.sh"),
} as const;

function step(name: keyof typeof scripts, root: string, words: readonly string[] = [], stdin?: string): MachineStep {
  const command = asRoot(scripts[name], [root, ...words], root);
  return { name, command, ...(stdin !== undefined && { stdin }) };
}

/** Tells what kind of machine it is. `cores`: addresses of the cluster's cores, to which it has to find its way. */
export const look = (root: string, cores: readonly string[] = []): MachineStep => step("look", root, cores);

/** A bundle of the agent as it lies beside others. */
export interface Delivery {
  /** Name of its directory below /opt/tutti: `<version>-<12 of its SHA-256>`. */
  readonly name: string;
  /** Hex. */
  readonly sha256: string;
  readonly architecture: string;
}

/** Puts a bundle beside the others. */
export const deliver = (root: string, { name, sha256, architecture }: Delivery, bytes: Buffer): MachineStep =>
  step("deliver", root, [name, sha256, architecture], bytes.toString("base64"));

/** Writes files. With `keep` what stood there stays beside it until `settle` says what becomes of it. */
export const install = (root: string, files: readonly MachineFile[], keep = false): MachineStep =>
  step("install", root, keep ? ["keep"] : [], files.map(line).join(""));

const line = ({ path, mode, text }: MachineFile) => `${path} ${mode} ${Buffer.from(text).toString("base64")}\n`;

/** Of files that were kept: puts them back, or forgets them. */
export const settle = (root: string, what: "back" | "forget", paths: readonly string[]): MachineStep =>
  step("settle", root, [what, ...paths]);

/** Makes a node a plain machine again. */
export const farewell = (root: string): MachineStep => step("farewell", root);

/** Tells what the machine knows of its boots and its agent. */
export const receipts = (root: string): MachineStep => step("receipts", root);

/** The text of a file, for root's eyes: it comes by standard output, and is shown to nobody. */
export const read = (root: string, path: string): MachineStep => ({
  name: "read",
  command: asRoot('cat "$1$2"', [root, path], root),
});

/** Makes the machine a node, or the same node anew; prints its journal. `seconds`: until the agent has to be ready. */
export const boot = (root: string, seconds: number): MachineStep => ({
  name: "boot",
  command: asRoot('TUTTI_ROOT="$1" TUTTI_READY="$2" exec "$1/usr/local/lib/tutti/boot"', [root, String(seconds)], root),
});
