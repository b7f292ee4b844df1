import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../../../agent/run/log.ts";
import { cachedImage } from "../../../rehearsal/image/image.ts";
import { nspawnMachine } from "../../../rehearsal/machines/nspawn.ts";
import { isThere } from "../../../rehearsal/room/ending.ts";
import { groupsOf } from "../../../rehearsal/room/groups.ts";
import { hierarchies } from "../../../rehearsal/room/hierarchies.ts";
import { tidy } from "../../../rehearsal/room/tidy.ts";
import { descendants, type Machines, noMachines, openMachines, type TestMachine } from "../../support/machines.ts";
import { until } from "../../support/until.ts";

let machines: Machines;

// The first run of all builds the image.
beforeAll(async () => {
  if (!noMachines) machines = await openMachines();
}, 900_000);

afterAll(async () => {
  await machines?.close();
});

async function machine(id: string, plan = {}): Promise<TestMachine> {
  const made = await machines.make(id, plan);
  await made.boot();
  return made;
}

const write = (one: TestMachine, path: string, then = "sync") => one.run("sh", "-c", `echo kept >${path}; ${then}`);
const bootId = async (one: TestMachine) => (await one.run("cat", "/proc/sys/kernel/random/boot_id")).out;
const groupsThere = (id: string) =>
  hierarchies().filter(({ path }) => existsSync(groupsOf(path, machines.room.id, id)));

describe.skipIf(noMachines)("a machine", () => {
  it("boots a systemd with nothing failed, its own disk, memory and name of its maker", async () => {
    const began = performance.now();
    const one = await machine("i-0123456789abcdef0", { disk: 20, memory: 2048 });
    const booted = performance.now();
    expect(await one.up()).toBe("running");
    const memory = await one.memory();
    const [boot, up] = [booted - began, performance.now() - began].map(Math.round);
    const said = `a machine: first process ${boot} ms, up ${up} ms, resident ${memory.resident} MiB, cache ${memory.cache} MiB`;
    process.stdout.write(`${said}\n`);
    expect(memory.resident).toBeLessThan(150);
    const { out } = await one.run(
      "sh",
      "-c",
      "systemctl --failed --no-legend; df --output=size -BG / | tail -1; cat /sys/hypervisor/uuid",
    );
    expect(out.trim().split(/\s+/)).toEqual(["20G", "ec201234-5678-9abc-def0-000000000000"]);
    expect((await one.run("sh", "-c", "head -1 /proc/meminfo; ip -o link")).out).toMatch(
      /MemTotal: +19\d{5} kB[\s\S]*ens5/,
    );
    await one.remove();
    expect(existsSync(one.folder)).toBe(false);
    expect(groupsThere(one.id)).toEqual([]);
  });

  it("keeps its disk over a clean stop, and prints each boot to its console", async () => {
    const one = await machine("i-1", { files: { "/etc/tutti/boot.env": "TUTTI_S3=http://s3\n" } });
    expect((await one.run("cat", "/etc/tutti/boot.env")).out).toBe("TUTTI_S3=http://s3\n");
    await one.up();
    await write(one, "/var/lib/kept", ":");
    await one.shutdown();
    expect([one.ends, await one.state(), groupsThere(one.id)]).toEqual([["off"], "off", []]);
    const first = readFileSync(join(one.folder, "console.log"), "utf8");
    expect(first).toMatch(/Reached target .*[\s\S]*Powering off/i);
    await one.boot();
    expect((await one.run("cat", "/var/lib/kept", "/etc/tutti/boot.env")).out).toBe("kept\nTUTTI_S3=http://s3\n");
    await one.up();
    expect(readFileSync(join(one.folder, "console.log"), "utf8").length).toBeGreaterThan(first.length + 1000);
    await one.remove();
  });

  it("can be asked to stop before it hears", async () => {
    const one = await machine("i-2");
    await one.shutdown();
    expect(one.ends).toEqual(["off"]);
    await one.remove();
  });

  it("loses at a power cut what was not synced, and only that", async () => {
    const one = await machine("i-3");
    await one.up();
    await write(one, "/var/synced", "sync /var/synced /var");
    await write(one, "/var/not-synced", ":");
    await one.kill();
    expect([one.ends, await one.state()]).toEqual([["crashed"], "off"]);
    await one.boot();
    expect((await one.run("cat", "/var/synced")).out).toBe("kept\n");
    expect((await one.run("cat", "/var/not-synced")).out).not.toContain("kept");
    expect(await one.up()).toBe("running");
    await one.remove();
  });

  it("boots again by itself when it is rebooted inside, with the same disk and network", async () => {
    const one = await machine("i-4");
    await one.up();
    await write(one, "/var/kept");
    const before = await bootId(one);
    await one.run("systemctl", "--no-block", "reboot");
    await until(() => one.ends.length > 0, { what: "the boot ended" });
    await until(async () => (await one.state()) === "running", { what: "it runs again" });
    expect(one.ends).toEqual(["reboot"]);
    expect((await one.run("sh", "-c", "cat /var/kept; ip -o link show ens5")).out).toMatch(
      /^kept\n.*02:00:00:00:00:01/,
    );
    // The kernel is that of the computer, and systemd's own number of the boot is another.
    expect(typeof before).toBe("string");
    await one.remove();
  });

  it("switches off by itself, and is said to be off", async () => {
    const one = await machine("i-5");
    await one.up();
    await one.run("systemctl", "--no-block", "poweroff");
    await until(() => one.ends.length > 0, { what: "it ended" });
    expect([one.ends, await one.state()]).toEqual([["off"], "off"]);
    await expect(one.run("true")).rejects.toMatchObject({ code: "machine_off" });
    await one.remove();
  });

  it("stands still while it is frozen, and can be stopped or cut off in that state", async () => {
    const one = await machine("i-6");
    await one.up();
    await one.run("systemd-run", "--quiet", "sh", "-c", "while :; do date +%N >/run/ticks; sleep 0.02; done");
    const ticks = () => readTicks(one);
    await until(async () => (await ticks()) !== "", { what: "it ticks" });
    await one.freeze();
    const frozen = await ticks();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await ticks()).toBe(frozen);
    await one.thaw();
    await until(async () => (await ticks()) !== frozen, { what: "it ticks again" });
    await one.freeze();
    await one.shutdown();
    expect(one.ends).toEqual(["off"]);
    await one.boot();
    await one.freeze();
    await one.kill();
    expect(one.ends).toEqual(["off", "crashed"]);
    await one.remove();
  });

  it("has its power cut when it does not switch off in time", async () => {
    const one = await machine("i-7");
    await one.up();
    await one.run(
      "systemd-run",
      "--quiet",
      "--property=KillSignal=SIGCONT",
      "--property=SendSIGHUP=no",
      "sleep",
      "1000",
    );
    await one.shutdown(500);
    expect(one.ends).toEqual(["crashed"]);
    await one.remove();
  });

  it("may not use more memory than it has", async () => {
    const one = await machine("i-8", { memory: 256 });
    await one.up();
    const eat = "x = bytearray(400 * 2 ** 20); print(len(x))";
    const { code, out } = await one.run("systemd-run", "--wait", "--pipe", "--quiet", "python3", "-c", eat);
    expect([code !== 0, out]).toEqual([true, expect.not.stringContaining("419430400")]);
    expect((await one.run("python3", "-c", "print(1)")).out).toBe("1\n");
    await one.remove();
  });

  it("opens no disk of the computer it runs on, though it may make a node for it", async () => {
    const one = await machine("i-9");
    await one.up();
    const [major, minor] = execFileSync("stat", ["-c", "%d", "/"], { encoding: "utf8" })
      .trim()
      .split("\n")
      .flatMap(numbers);
    const script = `mknod /root/disk b ${major} ${minor} && dd if=/root/disk of=/dev/null bs=512 count=1`;
    const { out } = await one.run("systemd-run", "--wait", "--pipe", "--quiet", "sh", "-c", script);
    expect(out).toMatch(/Operation not permitted/);
    await one.remove();
  });

  it("runs containers with limits of their own, with an overlay on its disk", async () => {
    const one = await machine("i-10");
    await one.up();
    const { code, out } = await one.run(
      "systemd-run",
      "--wait",
      "--pipe",
      "--quiet",
      "--property=Delegate=yes",
      "sh",
      "-c",
      container,
    );
    expect([code, out]).toEqual([0, expect.stringContaining("inside 67108864")]);
    await one.remove();
  });

  it("boots beside another one, each with its own", async () => {
    const two = await Promise.all([machines.make("i-11"), machines.make("i-12")]);
    await Promise.all(two.map((one) => one.boot()));
    await Promise.all(two.map((one) => one.up()));
    await Promise.all(two.map((one) => write(one, `/var/${one.id}`)));
    const seen = await Promise.all(two.map((one) => one.run("sh", "-c", "cat /etc/machine-id; ls /var | grep i-")));
    expect(seen.map(({ out }) => out.trim().split("\n")[1])).toEqual(["i-11", "i-12"]);
    expect(new Set(seen.map(({ out }) => out.split("\n")[0])).size).toBe(2);
    await two[0]?.kill();
    expect((await two[1]?.run("true"))?.code).toBe(0);
    await Promise.all(two.map((one) => one.remove()));
  });

  it("says why when it does not boot", async () => {
    const one = await machines.make("i-13", { netns: "/run/netns/none" });
    await expect(one.boot()).rejects.toMatchObject({
      code: "not_booted",
      message: expect.stringContaining("netns/none"),
    });
    expect([await one.state(), groupsThere(one.id)]).toEqual(["off", []]);
    const other = await machines.make("i-14", { image: "/no/image" });
    await expect(other.boot()).rejects.toThrow(/image/);
    await Promise.all([one.remove(), other.remove()]);
  });

  it("does not boot when its power is cut before it began, and boots when it is asked again", async () => {
    const one = await machines.make("i-15");
    const booting = one.boot();
    booting.catch(() => {});
    await until(() => existsSync(join(one.folder, "disk.ext4.part")) || existsSync(join(one.folder, "disk.ext4")), {
      what: "its disk is made",
    });
    await one.kill();
    await expect(booting).rejects.toMatchObject({ code: "not_booted" });
    expect(await one.state()).toBe("off");
    await one.boot();
    expect(await one.state()).toBe("running");
    await one.remove();
  });

  it("refuses files that links would lead out of its disk", async () => {
    const one = await machines.make("i-16", { files: { "/var/run/x": "y" } });
    await expect(one.boot()).rejects.toMatchObject({ code: "file_outside" });
    await one.remove();
  });

  it("boots in a room only", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tutti-machine-"));
    const image = cachedImage()?.path ?? "";
    const plan = { id: "i-17", mac: "", memory: 512, disk: 8, netns: "", folder: join(folder, "i-17"), image };
    await expect(nspawnMachine(plan, silent).boot()).rejects.toMatchObject({ code: "not_in_a_room" });
    rmSync(folder, { recursive: true });
  });
});

function readTicks(one: TestMachine): Promise<string> {
  // From outside of it: what runs inside does not answer while it is frozen.
  const pid = descendants(machines.room.pid).find((each) => commandOf(each).includes("/run/ticks"));
  return Promise.resolve(pid ? readQuietly(`/proc/${pid}/root/run/ticks`, one) : "");
}

const commandOf = (pid: number) => readQuietly(`/proc/${pid}/cmdline`);
function readQuietly(path: string, _of?: TestMachine): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** `st_dev` as Linux packs it → major and minor. */
const numbers = (device: string) => {
  const packed = Number(device);
  return [(packed >> 8) & 0xfff, (packed & 0xff) | ((packed >> 12) & 0xfff00)];
};

/** A container by crun: the machine's own files below an overlay, 64 MiB, which it reads from its group. */
const container = `set -e
mkdir -p /var/c/up /var/c/work /var/c/rootfs && cd /var/c
mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work rootfs
crun spec
python3 - <<'END'
import json
c = json.load(open("config.json"))
limit = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"
c["process"].update(terminal=False, args=["sh", "-c", "echo inside $(cat " + limit + " 2>/dev/null)"])
c["linux"]["resources"] = {"memory": {"limit": 67108864}, "pids": {"limit": 20}}
c["linux"]["cgroupsPath"] = "/apps/one"
json.dump(c, open("config.json", "w"))
END
crun run one`;

describe.skipIf(noMachines)("a room with machines that is killed", () => {
  it("leaves no process, mount, network, loop device or control group", async () => {
    const { room, folder, ...own } = await openMachines();
    const two = await Promise.all([own.make("i-20"), own.make("i-21")]);
    await Promise.all(two.map((one) => one.boot()));
    await Promise.all(two.map((one) => one.up()));
    const all = [room.pid, ...descendants(room.pid)];
    expect(all.length).toBeGreaterThan(10);
    room.process.kill("SIGKILL");
    await room.exited;
    expect(all.filter(isThere)).toEqual([]);
    const loops = () =>
      execFileSync("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"], { encoding: "utf8" });
    await until(() => !loops().includes(folder), { what: "the loop devices are free" });
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(folder);
    expect(execFileSync("ip", ["-o", "link"], { encoding: "utf8" })).not.toMatch(/v-i-2[01]/);
    await tidy();
    expect(two.filter((one) => existsSync(one.folder))).toEqual([]);
    expect(hierarchies().filter(({ path }) => existsSync(groupsOf(path, room.id)))).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
