import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isThere } from "../../../rehearsal/room/ending.ts";
import { endRoom } from "../../../rehearsal/room/endRoom.ts";
import { enterExisting } from "../../../rehearsal/room/enter.ts";
import { groupsOf } from "../../../rehearsal/room/groups.ts";
import { hierarchies } from "../../../rehearsal/room/hierarchies.ts";
import { noteMachine, recordPath } from "../../../rehearsal/room/records.ts";
import { enterRoom, type Room } from "../../../rehearsal/room/room.ts";
import { allRooms, tidy } from "../../../rehearsal/room/tidy.ts";
import { descendants, noMachines } from "../../support/machines.ts";
import { until } from "../../support/until.ts";

let folder: string;
const rooms: Room[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-room-"));
});

afterEach(async () => {
  for (const room of rooms.splice(0)) await room.stop(0);
  rmSync(folder, { recursive: true, force: true });
});

async function enter(script: string, more: { env?: NodeJS.ProcessEnv; stays?: boolean } = {}): Promise<Room> {
  const room = await enterRoom({ command: "sh", args: ["-c", script], folder, ...more });
  rooms.push(room);
  return room;
}

const output = (proc: ChildProcess) => text(proc.stdout as NodeJS.ReadableStream);
const hostLinks = () => execFileSync("ip", ["-o", "link"], { encoding: "utf8" });

describe.skipIf(noMachines)("a room", () => {
  it("runs a command with its input, its output and its code", async () => {
    const room = await enter('cat; pwd; echo "$WORD" >&2; exit 7', { env: { ...process.env, WORD: "said" } });
    room.process.stdin?.end("heard\n");
    const [out, complaints] = await Promise.all([
      output(room.process),
      text(room.process.stderr as NodeJS.ReadableStream),
    ]);
    expect(out).toBe(`heard\n${folder}\n`);
    expect(complaints).toBe("said\n");
    expect(await room.exited).toEqual({ code: 7, signal: null });
  });

  it("has a loopback and no other interface, no process of outside, and nothing of the computer's /run", async () => {
    const room = await enter("ip -o -4 addr; ip -o link | wc -l; ls -d /proc/[0-9]* | wc -l; ls /run /run/netns");
    const lines = (await output(room.process)).trim().split("\n");
    expect(lines[0]).toContain("127.0.0.1/8");
    expect(lines[1]?.trim()).toBe("1");
    expect(Number(lines[2])).toBeLessThan(8);
    expect(lines).toContain("netns");
    expect(lines.at(-1)).toBe("/run/netns:");
  });

  it("says so when its command can't be started", async () => {
    const room = await enterRoom({ command: "/no/such/program", folder, stdio: "ignore" });
    expect(await room.exited).toEqual({ code: 127, signal: null });
  });

  it("asks its command to end, and waits for that", async () => {
    const room = await enter(`trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done`);
    let out = "";
    room.process.stdout?.on("data", (chunk) => {
      out += chunk;
    });
    await until(() => out === "up\n", { what: "the command is at it" });
    await room.stop();
    expect(await room.exited).toEqual({ code: 3, signal: null });
    await until(() => out === "up\nbye\n", { what: "its last word is heard" });
    await room.stop();
  });

  it("ends all that is in it when its command does not end", async () => {
    const room = await enter(`trap '' TERM; setsid sleep 1000 & sleep 1000`);
    await until(() => descendants(room.pid).length >= 3, { what: "all processes of the room run" });
    const all = [room.pid, ...descendants(room.pid)];
    await room.stop(100);
    expect(all.filter(isThere)).toEqual([]);
  });

  it("takes along what its command leaves running", async () => {
    const room = await enter("setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!; exec cat");
    await until(() => descendants(room.pid).length >= 2, { what: "both processes run" });
    const all = descendants(room.pid);
    room.process.stdin?.end();
    await room.exited;
    expect(all.filter(isThere)).toEqual([]);
  });

  it("can be entered by who knows its process, and shows him what is made in it", async () => {
    const room = await enter("ip netns add blue && ip link add one type veth peer name two netns blue && exec cat");
    await until(async () => (await once(look(room, "ip netns list"), "exit"))[0] === 0, {
      what: "one can look inside",
    });
    const seen = async (script: string) => output(look(room, script));
    await until(async () => (await seen("ip -n blue -o link")).includes("two"), { what: "the network is there" });
    expect(await seen("echo $$")).not.toBe("");
    expect(hostLinks()).not.toMatch(/\bone\b/);
    expect(existsSync("/run/netns/blue")).toBe(false);
  });

  it("two at once have networks of the same names and don't meet", async () => {
    const script = "ip netns add same && ip link add same type bridge && echo made; exec cat";
    const two = await Promise.all([enter(script), enter(script)]);
    for (const room of two) await once(room.process.stdout as NodeJS.ReadableStream, "readable");
    expect(two.map((room) => String(room.process.stdout?.read()).trim())).toEqual(["made", "made"]);
    expect(two[0]?.id).not.toBe(two[1]?.id);
  });
});

const look = (room: Room, script: string) => enterExisting(room.pid, ["sh", "-c", script]);

/** A process that makes a room with a mount on a loop device, a network and children, and says the room's number. */
function maker(stays = false): ChildProcess {
  const module = fileURLToPath(new URL("../../../rehearsal/room/room.ts", import.meta.url));
  const script = `dd if=/dev/zero of=disk bs=1M count=8 status=none && mkfs.ext4 -q disk && mkdir -p mnt &&
    mount -o loop disk mnt && ip netns add n && ip link add leak0 type veth peer name leak1 netns n &&
    setsid sleep 1000 & sleep 1000 & wait`;
  const options = { command: "sh", args: ["-c", script], folder, stdio: "ignore", stays };
  const code = `import { enterRoom } from ${JSON.stringify(module)};
    const room = await enterRoom(${JSON.stringify(options)});
    console.log(JSON.stringify({ id: room.id, pid: room.pid }));
    ${stays ? "" : "setInterval(() => {}, 1000);"}`;
  return spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: ["ignore", "pipe", "inherit"] });
}

async function made(proc: ChildProcess): Promise<{ id: string; pid: number }> {
  const [line] = await once(proc.stdout as NodeJS.ReadableStream, "data");
  const room = JSON.parse(String(line)) as { id: string; pid: number };
  await until(() => loops().includes(folder), { what: "the room's disk is mounted" });
  await until(() => descendants(room.pid).length >= 3, { what: "its processes run" });
  return room;
}

const loops = () => execFileSync("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"], { encoding: "utf8" });

describe.skipIf(noMachines)("a room whose maker is killed", () => {
  it("is gone: its processes, its loop device, its network", async () => {
    const proc = maker();
    const { id, pid } = await made(proc);
    const all = [pid, ...descendants(pid)];
    proc.kill("SIGKILL");
    await until(() => all.filter(isThere).length === 0, { what: "no process of it is left" });
    await until(() => !loops().includes(folder), { what: "its loop device is free" });
    expect(hostLinks()).not.toContain("leak");
    expect((await allRooms()).map((room) => room.id)).not.toContain(id);
  });

  it("leaves empty control groups and machines' folders, which the next start removes", async () => {
    const proc = maker();
    const { id, pid } = await made(proc);
    const groups = hierarchies().map(({ path }) => groupsOf(path, id, "i-1/payload"));
    for (const group of groups) mkdirSync(group, { recursive: true });
    const disk = join(folder, "i-1");
    mkdirSync(disk);
    writeFileSync(join(disk, "disk.ext4"), "");
    noteMachine(id, "i-1", disk);
    proc.kill("SIGKILL");
    await until(() => !isThere(pid), { what: "the room is gone" });
    rooms.push(await enterRoom({ command: "true", folder, stdio: "ignore" }));
    expect(existsSync(disk)).toBe(false);
    expect(existsSync(recordPath(id))).toBe(false);
    expect(groups.filter((group) => existsSync(join(group, "../..")))).toEqual([]);
  });

  it("stays when that was asked for, until it is ended by its number", async () => {
    const proc = maker(true);
    const { id, pid } = await made(proc);
    if (proc.exitCode === null) await once(proc, "exit");
    expect(await tidy()).not.toContainEqual(expect.objectContaining({ room: id }));
    expect(isThere(pid)).toBe(true);
    expect(await allRooms()).toContainEqual({ id, folder, pid });
    const all = [pid, ...descendants(pid)];
    expect(await endRoom(id, 100)).toEqual({ room: id, folders: [] });
    expect(all.filter(isThere)).toEqual([]);
    expect(await endRoom(id)).toBeUndefined();
    await until(() => !loops().includes(folder), { what: "its loop device is free" });
  });
});

describe.skipIf(noMachines)("tidying", () => {
  it("leaves rooms that live alone, also when it is done from another room", async () => {
    const room = await enter("exec cat");
    const module = fileURLToPath(new URL("../../../rehearsal/room/tidy.ts", import.meta.url));
    const code = `import { tidy } from ${JSON.stringify(module)}; console.log(JSON.stringify(await tidy()))`;
    const args = ["--input-type=module", "--eval", code];
    const other = await enterRoom({ command: process.execPath, args, folder });
    rooms.push(other);
    expect(JSON.parse(await output(other.process))).toEqual([]);
    await other.exited;
    // Those of others, who test at the same time, may be among them.
    expect((await tidy()).map((tidied) => tidied.room)).not.toContain(room.id);
    expect(readFileSync(join(recordPath(room.id), "pid"), "utf8").trim()).toBe(String(room.pid));
  });
});
