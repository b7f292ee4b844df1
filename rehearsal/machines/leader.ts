import { readFileSync } from "node:fs";

/** The first process of the machine that this systemd-nspawn runs, once it is systemd. */
export function firstOf(nspawn: number): number | undefined {
  const children = read(`/proc/${nspawn}/task/${nspawn}/children`).trim().split(" ");
  return children.map(Number).find((pid) => pid > 0 && isFirst(pid) && read(`/proc/${pid}/comm`).trim() === "systemd");
}

/** Number 1 in a namespace of its own. */
function isFirst(pid: number): boolean {
  const numbers = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1]?.split(/\s+/) ?? [];
  return numbers.length > 1 && numbers.at(-1) === "1";
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
