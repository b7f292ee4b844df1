import { readdir, readFile } from "node:fs/promises";

/**
 * Kills processes whose HOME is below `directory`: what a build started and moved out of its process group, or what an
 * agent that was killed left behind. Where there is no /proc nothing is found.
 */
export async function killLeftovers(directory: string): Promise<number> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => ((await homeOf(pid))?.startsWith(directory) ? Number(pid) : 0)),
  );
  const ours = found.filter((pid) => pid > 1 && pid !== process.pid);
  for (const pid of ours) kill(pid);
  return ours.length;
}

async function homeOf(pid: string): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return text
    .split("\0")
    .find((one) => one.startsWith("HOME="))
    ?.slice("HOME=".length);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
