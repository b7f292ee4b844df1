import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Detected } from "./detect.ts";
import { execute } from "./execute.ts";
import { startupScript } from "./startup.ts";
import type { Workspace } from "./workspace.ts";

/** Text of droplet.yaml: JSON is YAML. Holds nothing that differs between two stagings of the same bits. */
export function dropletYaml({ framework, reason, start, processTypes, plan }: Detected): string {
  const facts = { framework, reason, start_command: start, process_types: processTypes, facts: plan.facts };
  return `${JSON.stringify(facts, undefined, 2)}\n`;
}

/** Puts what is ours beside `app/`: `startup`, `droplet.yaml` and what the framework ships. */
export async function furnish(space: Workspace, detected: Detected): Promise<void> {
  await put(join(space.droplet, "startup"), startupScript(detected.start, detected.plan), 0o755);
  await put(join(space.droplet, "droplet.yaml"), dropletYaml(detected), 0o644);
  for (const [name, from] of Object.entries(detected.plan.ship)) {
    const to = join(space.droplet, name);
    await rm(dirname(to), { recursive: true, force: true });
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
  }
}

// The build may have left a link at this name that leads elsewhere.
async function put(path: string, text: string, mode: number): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await writeFile(path, text, { mode, flag: "wx" });
}

// Same content, same bytes. Nothing in a droplet may be more than a plain file of its user: no set-user-id bits.
const reproducible = ["--format=gnu", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
const harmless = ["--mode=u+rwX,go-w,a-st"];

export interface Packed {
  /** Lower-case hex. */
  sha1: string;
  bytes: number;
}

/** Packs the droplet. Rejects with StagingError. */
export async function pack(space: Workspace, signal: AbortSignal): Promise<Packed> {
  const args = [...reproducible, ...harmless, "-I", "gzip -n -1", "-cf", space.tarball, "-C", space.droplet, "."];
  const problems: string[] = [];
  const onLines = (lines: readonly string[]) => problems.push(...lines);
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C" };
  await execute({ command: "tar", args, cwd: space.root, env, onLines, signal }).catch((cause) => {
    throw signal.aborted ? cause : new Error(`tar: ${problems.slice(-3).join(" | ") || cause.message}`, { cause });
  });
  const hash = createHash("sha1");
  await pipeline(createReadStream(space.tarball), hash, { signal });
  return { sha1: hash.digest("hex"), bytes: (await stat(space.tarball)).size };
}
