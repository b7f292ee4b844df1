import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../room/programs.ts";

/**
 * Makes the cluster's names lead to its router for every program in the room. The room has mounts of its own, so that
 * the computer's own /etc/hosts stays what it is.
 */
export async function nameHosts(folder: string, address: string, names: readonly string[]): Promise<void> {
  const file = join(folder, "hosts");
  writeFileSync(file, `${readFileSync("/etc/hosts", "utf8").trimEnd()}\n${address} ${names.join(" ")}\n`);
  await run("mount", ["--bind", file, "/etc/hosts"]);
}
