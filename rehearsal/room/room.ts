import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/run/fault.ts";
import { sleep } from "../../agent/run/sleep.ts";
import { gone, signal } from "./ending.ts";
import { programPath } from "./programs.ts";
import { machineFolders, newRecord, pidOf, recordPath, whyNot } from "./records.ts";
import { tidy, tidyRoom } from "./tidy.ts";

export interface RoomOptions {
  /** Runs in the room; when it ends, all else in the room does. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where the command starts. Made when it is not there. */
  readonly folder: string;
  /** Default: all three are pipes. */
  readonly stdio?: StdioOptions;
  /** The room stays when the one who made it ends; `endRoom` ends it. Default: it dies with its maker. */
  readonly stays?: boolean;
}

export interface Room {
  /** Eight hexadecimal digits. */
  readonly id: string;
  /** The room's first process, for `enterExisting`. */
  readonly pid: number;
  /** The outermost process: its streams are the command's, its end is the room's. */
  readonly process: ChildProcess;
  /** Resolves when no process of the room is left. */
  readonly exited: Promise<RoomEnd>;
  /** Asks the command to end (SIGTERM); after `grace` ms, default 30,000, ends all of the room. Safe to call twice. */
  stop(grace?: number): Promise<void>;
}

export interface RoomEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** No room can be made here. */
export class NoRoom extends Fault {
  override name = "NoRoom";
}

const init = fileURLToPath(new URL("init.sh", import.meta.url));

/**
 * Runs a command in a room of its own: a network with nothing but a loopback, own mounts, own processes, an empty /run.
 * All that is made in it (network namespaces, interfaces, mounts, loop devices) dies with the command, and with us,
 * however we end. What dead rooms left on disks is removed first: see `tidy`. Throws NoRoom; `lacks` tells more.
 */
export async function enterRoom(options: RoomOptions): Promise<Room> {
  if (process.getuid?.() !== 0) throw notRoot();
  await tidy();
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const id = newRecord(folder);
  const proc = openRoom(id, { ...options, folder });
  const first = firstProcess(id, proc);
  const exited = endOf(id, proc, first);
  exited.catch(() => {});
  const pid = await first;
  return { id, pid, process: proc, exited, stop: (grace) => stopRoom({ id, proc, exited, grace }) };
}

function openRoom(id: string, { command, args = [], env = process.env, folder, stdio, stays }: RoomOptions) {
  const [first = "", ...rest] = [...roomCommand(stays), init, recordPath(id), command, ...args];
  const maker = stays ? "" : String(process.pid);
  const whole = { ...env, TUTTI_ROOM: id, TUTTI_ROOM_WORK: folder, TUTTI_ROOM_MAKER: maker };
  // A session of its own: Ctrl-C reaches whoever made the room, and that one asks the command to end.
  const proc = spawn(first, rest, { env: whole, stdio: stdio ?? "pipe", detached: true });
  proc.on("error", () => {});
  if (stays) proc.unref();
  return proc;
}

/**
 * setpriv: the kernel kills `unshare` when we end. By --kill-child it kills the room's first process when `unshare`
 * ends, and with that one all processes of its namespace. That process mounts its /proc itself.
 */
function roomCommand(stays = false): string[] {
  const dies = stays ? [] : [programPath("setpriv") ?? "setpriv", "--pdeathsig", "KILL", "--"];
  const unshare = [programPath("unshare") ?? "unshare", "--net", "--mount", "--pid", "--propagation", "private"];
  return [...dies, ...unshare, "--fork", "--kill-child=KILL", "--", "/bin/sh"];
}

async function firstProcess(id: string, proc: ChildProcess): Promise<number> {
  for (;;) {
    const over = proc.exitCode !== null || proc.signalCode !== null || !proc.pid;
    const pid = pidOf(id);
    if (pid) return pid;
    if (over) throw await notMade(id, proc);
    await sleep(5);
  }
}

async function endOf(id: string, proc: ChildProcess, first: Promise<number>): Promise<RoomEnd> {
  const [code, how] = await once(proc, "exit");
  // Killed, it is gone before what it was the parent of.
  await gone(await first);
  if (machineFolders(id).length === 0) await tidyRoom(id);
  return { code, signal: how };
}

interface Stopping extends Pick<Room, "id" | "exited"> {
  readonly proc: ChildProcess;
  readonly grace?: number;
}

async function stopRoom({ id, proc, exited, grace = 30_000 }: Stopping): Promise<void> {
  const over = new AbortController();
  const ended = exited.catch(() => {}).then(() => over.abort());
  signal(pidOf(id), "SIGTERM");
  await Promise.race([ended, sleep(grace, over.signal)]);
  if (!over.signal.aborted) proc.kill("SIGKILL");
  await ended;
}

function notRoot(): NoRoom {
  const hint = "run it as root (sudo); without, `tutti solo up` gives a cluster on this computer, without machines";
  return new NoRoom("machines that boot need root: only root may make networks, mounts and loop devices", {
    ...{ code: "not_root", hint },
  });
}

async function notMade(id: string, proc: ChildProcess): Promise<NoRoom> {
  const why = whyNot(id) || `${proc.spawnfile} ended with ${proc.signalCode ?? proc.exitCode ?? "an error"}`;
  await tidyRoom(id);
  const hint = "the kernel or a container around us forbids it; `tutti solo up` works without";
  return new NoRoom(`no closed room can be made here: ${why}`, { code: "no_room", hint });
}
