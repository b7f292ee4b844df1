import { createHash } from "node:crypto";
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Where apps live and which programs they find, when they run as users of their own. */
export interface AppGround {
  apps?: string;
  path?: string;
}

/**
 * When the agent is root, apps run as other users, and those cannot enter a closed home such as /root: instances then
 * live below /var/lib/tutti, under a name made of the cluster's home, with a Node they can reach.
 */
export function appGround(home: string, { fresh }: { fresh: boolean }): AppGround {
  if (process.getuid?.() !== 0 || (!closedAbove(home) && !closedAbove(process.execPath))) return {};
  const apps = join("/var/lib/tutti", createHash("sha256").update(home).digest("hex").slice(0, 12));
  // A home that is new has nothing to do with what an older one of the same name left here.
  if (fresh) rmSync(apps, { recursive: true, force: true });
  mkdirSync(join(apps, "bin"), { recursive: true, mode: 0o755 });
  const node = join(apps, "bin", basename(process.execPath));
  if (!existsSync(node) || statSync(node).size !== statSync(process.execPath).size) place(process.execPath, node);
  return { apps: join(apps, "dea"), path: `${join(apps, "bin")}:${process.env["PATH"] ?? ""}` };
}

function place(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    // Another file system.
    copyFileSync(from, to);
  }
}

/** Whether other users are stopped somewhere on the way to `path`. */
function closedAbove(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return true;
    if (at === dirname(at)) return false;
  }
}
