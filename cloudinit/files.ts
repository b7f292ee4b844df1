import type { Birth } from "../roles/birth.ts";
import { packagesFor } from "./packages.ts";
import { UserDataRefused } from "./refusals.ts";

/** A file that cloud-init writes. `from` is the template, or undefined when the text is the birth itself. */
export interface BirthFile {
  readonly path: string;
  readonly mode: string;
  readonly from?: string;
}

/** Everything of ours that user data puts on a machine. */
export const birthFiles: readonly BirthFile[] = [
  { path: "/etc/tutti/birth.json", mode: "0600" },
  { path: "/usr/local/lib/tutti/boot", mode: "0755", from: "boot.sh.hbs" },
  { path: "/usr/local/lib/tutti/machine.mjs", mode: "0644", from: "machine.mjs" },
  { path: "/usr/local/lib/tutti/shield.nft", mode: "0644", from: "shield.nft" },
  { path: "/usr/local/lib/tutti/tutti-boot.service", mode: "0644", from: "tutti-boot.service" },
  { path: "/usr/local/lib/tutti/tutti.service", mode: "0644", from: "tutti.service" },
];

/** What the templates may speak of: nothing secret is among it. */
export interface View {
  readonly id: string;
  readonly cluster: string;
  readonly region: string;
  readonly version: string;
  readonly sha256: string;
  readonly sources: readonly string[];
  readonly packages: readonly string[];
  readonly baked: boolean;
  readonly core: boolean;
  /** Where a core's identity is; empty when somebody brings it. */
  readonly authority: string;
}

/** Throws UserDataRefused for a value that could break out of the line it stands in. */
export function viewOf({ node, region, bundle, baked, authority = "" }: Birth): View {
  const { version, sha256, sources } = bundle;
  for (const value of [node.cluster, region, version, authority, ...sources]) refuseUnprintable(value);
  return {
    ...{ id: node.id, cluster: node.cluster, region, version, sha256, sources, baked },
    ...{ core: node.roles.includes("core"), authority },
    packages: packagesFor(node.roles),
  };
}

function refuseUnprintable(value: string): void {
  if (/^[\x20-\x7e]*$/.test(value)) return;
  const message = `this is no name, region, version or address: ${JSON.stringify(value.slice(0, 80))}`;
  throw new UserDataRefused(message, { code: "bad_birth", hint: "write it with printable ASCII characters" });
}

/** `birth.json`: one line of ASCII, which no reader of YAML can take for anything else. */
export function birthText(birth: Birth): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(birth).replace(/[^\x20-\x7e]/g, escaped)}\n`;
}
