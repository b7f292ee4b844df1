import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { attempt } from "./programs.ts";

/** Records of all rooms of this computer. As everything below /run, they end when it is switched off. */
const records = "/run/tutti/rooms";

/** What is known of a room from outside. */
export interface Record {
  /** Eight hexadecimal digits: names the room's control groups too. */
  readonly id: string;
  /** The directory that was given for it. */
  readonly folder: string;
  /** Number of its first process, as seen from outside; undefined until that runs the command. */
  readonly pid: number | undefined;
}

export const recordPath = (id: string): string => join(records, id);

export function newRecord(folder: string): string {
  const id = randomBytes(4).toString("hex");
  mkdirSync(join(recordPath(id), "machines"), { recursive: true, mode: 0o700 });
  writeFileSync(join(recordPath(id), "folder"), folder);
  return id;
}

export function allRecords(): Record[] {
  return namesIn(records).map((id) => ({ id, folder: text(id, "folder"), pid: pidOf(id) }));
}

export const pidOf = (id: string): number | undefined => Number(text(id, "pid")) || undefined;
/** Why the room could not be made, in its first process's words. */
export const whyNot = (id: string): string => text(id, "why");

/** Notes where a machine keeps its disk, so that it is found when the room was killed. */
export function noteMachine(room: string, machine: string, folder: string): void {
  forgetMachine(room, machine);
  symlinkSync(folder, join(recordPath(room), "machines", machine));
}

export function forgetMachine(room: string, machine: string): void {
  rmSync(join(recordPath(room), "machines", machine), { force: true });
}

/** Folders of machines that were not removed. */
export function machineFolders(room: string): string[] {
  const links = join(recordPath(room), "machines");
  return namesIn(links).map((name) => readlinkSync(join(links, name)));
}

/** True while the room's first process is there; anybody may ask, also from another room. */
export async function lives({ id, pid }: Record): Promise<boolean> {
  const lock = join(recordPath(id), "lock");
  // One that is being made has no lock yet.
  if (pid === undefined && age(recordPath(id)) < 10_000) return true;
  const { code } = await attempt("flock", ["--nonblock", "--no-fork", lock, "true"]);
  return code === 1;
}

export function removeRecord(id: string): void {
  rmSync(recordPath(id), { recursive: true, force: true });
}

const age = (path: string) => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);

function text(id: string, name: string): string {
  try {
    return readFileSync(join(recordPath(id), name), "utf8").trim();
  } catch {
    return "";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
