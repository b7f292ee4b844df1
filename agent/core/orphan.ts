import { readFile, rm } from "node:fs/promises";
import { sleep } from "../run/sleep.ts";

/**
 * Ends the nats-server that an agent killed with -9 left behind: it holds the port and the store's files.
 * It is ours only if its command line names our configuration. Resolves to its pid.
 */
export async function endOrphan(pidFile: string, configFile: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
  if (!(pid > 1) || !(await runs(pid, configFile))) return undefined;
  process.kill(pid, "SIGTERM");
  for (let turn = 0; turn < 100 && (await runs(pid, configFile)); turn++) {
    if (turn === 50) process.kill(pid, "SIGKILL");
    await sleep(100);
  }
  await rm(pidFile, { force: true });
  return pid;
}

async function runs(pid: number, configFile: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.split("\0").includes(configFile);
}
