import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// node powerCut.ts MACHINES NODE PATH: in the room of a rehearsal, ends the machine of a node, in the middle of whatever it
// does, as soon as there is this file on its disk. The driver, which nobody has asked, finds it so and gives it power again.

const [machines = "", node = "", path = ""] = process.argv.slice(2);
const folder = await whenThere();
for (const name of readdirSync("/proc"))
  if (/^\d+$/.test(name) && isMachine(textOf(`/proc/${name}/cmdline`))) process.kill(Number(name), "SIGKILL");

async function whenThere(): Promise<string> {
  for (;;) {
    const found = existsSync(machines) ? readdirSync(machines).map((id) => join(machines, id)) : [];
    const one = found.find((each) => textOf(`${each}/root/etc/tutti/birth.json`).includes(`"${node}"`));
    if (one && existsSync(`${one}/root${path}`)) return one;
    await sleep(5);
  }
}

function isMachine(line: string): boolean {
  return line.includes("systemd-nspawn") && line.includes(`--directory=${folder}/root\0`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
