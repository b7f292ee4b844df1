import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where set-up put the outside programs. */
export const toolsBin = fileURLToPath(new URL("../../.cache/tools/bin", import.meta.url));

/** The path of an outside program; says what to do when it is missing. */
export function tool(name: "nats-server" | "haproxy"): string {
  const path = `${toolsBin}/${name}`;
  if (!existsSync(path)) throw new Error(`${name} is not set up: run "node bin/setup.mjs"`);
  return path;
}
