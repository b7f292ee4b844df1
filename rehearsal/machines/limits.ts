import type { Hierarchy } from "../room/hierarchies.ts";

/** What is written into a file of a group. `from`: what stands in that file, relative to the same tree. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  /** Not every kernel has it, and a machine is one without. */
  readonly optional?: boolean;
}

const MiB = 2 ** 20;

/**
 * Devices that a machine has: null, zero, full, random, urandom, tty, console, ptmx, ptys, tun and fuse. It may make
 * nodes of others (containers' runtimes do), but not open them: the disks of the computer it runs on are among them.
 */
const devices = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "136:*", "10:200", "10:229"];

/** Settings of a machine's group in one tree, in their order. */
export function limitsOf({ v2, controllers }: Hierarchy, memory: number): Setting[] {
  const bytes = String(memory * MiB);
  if (v2)
    return [
      // A tree beside version 1 has neither.
      { file: "memory.max", value: bytes, optional: true },
      { file: "memory.swap.max", value: "0", optional: true },
    ];
  const settings: Setting[] = [];
  if (controllers.includes("memory"))
    settings.push(
      { file: "memory.limit_in_bytes", value: bytes },
      { file: "memory.memsw.limit_in_bytes", value: bytes, optional: true },
    );
  if (controllers.includes("devices")) settings.push(...deviceSettings());
  return settings;
}

function deviceSettings(): Setting[] {
  const allowed = ["c *:* m", "b *:* m", ...devices.map((each) => `c ${each} rwm`)];
  return [{ file: "devices.deny", value: "a" }, ...allowed.map((value) => ({ file: "devices.allow", value }))];
}

/** Controllers that a group of version 2 passes on to those below it. */
export const passedOn: readonly string[] = ["memory", "pids", "cpu", "cpuset", "io"];

/** What freezes or thaws a group, and what a file says when it is done. */
export interface Freezing {
  readonly set: string;
  readonly value: string;
  readonly watch: string;
  readonly said: RegExp;
}

export function freezing({ v2 }: Hierarchy, frozen: boolean): Freezing {
  if (v2) return { set: "cgroup.freeze", value: frozen ? "1" : "0", watch: "cgroup.events", said: said(frozen) };
  const value = frozen ? "FROZEN" : "THAWED";
  return { set: "freezer.state", value, watch: "freezer.state", said: new RegExp(value) };
}

const said = (frozen: boolean) => (frozen ? /^frozen 1$/m : /^frozen 0$/m);
