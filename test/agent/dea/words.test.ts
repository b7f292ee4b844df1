import { expect, test } from "vitest";
import { describeEnd, describeSilence, overQuota, statusOf, whyEnded } from "../../../agent/dea/exits.ts";
import { limited, startCommand } from "../../../agent/dea/launch.ts";
import { listing, parsePath, parseRange, sizeText } from "../../../agent/dea/listing.ts";
import { allowance, batches, droppedText, splitter } from "../../../agent/dea/logLines.ts";
import { parseStat } from "../../../agent/dea/procfs.ts";
import { cpuPercent, lookDue } from "../../../agent/dea/quotas.ts";
import { pause } from "../../../agent/dea/ready.ts";
import { parseListeners } from "../../../agent/dea/sockets.ts";

test("an end is told with the shell's number and in words", () => {
  expect([statusOf({ code: 3 }), statusOf({ signal: "SIGKILL" }), statusOf({})]).toEqual([3, 137, -1]);
  expect(describeEnd({ code: 1 }, 230, 64)).toBe("exited with status 1 after 0.2 s");
  expect(describeEnd({ signal: "SIGSEGV" }, 61_000, 64)).toBe("killed by SIGSEGV after 61.0 s");
  expect(describeEnd({ signal: "SIGXFSZ" }, 0, 64)).toContain("it wrote a file larger than 64 MiB");
  expect(describeEnd({}, 0, 64)).toContain("unknown");
  const doom = { reason: "CRASHED" as const, description: "out of memory" };
  const limits = { mem: 1, disk: 1, fds: 1 };
  expect(whyEnded({ doom, born: 0, since: 0, limits }, { signal: "SIGKILL" }, 10)).toBe("out of memory");
});

test("silence is told with the port that should be and the one that is", () => {
  const all = "all addresses";
  expect(describeSilence(61003, 60, [])).toBe("did not listen on port 61003 within 60 s");
  expect(describeSilence(61003, 60, [{ address: all, port: 3000 }])).toContain("it listens on 3000 instead");
  expect(describeSilence(61003, 60, [{ address: "127.0.0.1", port: 61003 }])).toContain("127.0.0.1 only");
});

test("a quota is passed by more than all of it", () => {
  const limits = { mem: 10, disk: 10 };
  expect(overQuota({ memory: 10 * 2 ** 20, disk: 0 }, limits)).toBeUndefined();
  expect(overQuota({ memory: 11 * 2 ** 20, disk: 0 }, limits)?.description).toBe(
    "out of memory: used 11 MiB of 10 MiB",
  );
  expect(overQuota({ memory: 0, disk: 11 * 2 ** 20 }, limits)?.description).toBe("out of disk: used 11 MiB of 10 MiB");
});

test("files are counted again when they can have passed the quota, and now and then", () => {
  const rules = { quota: 100 * 2 ** 20, atLeast: 1000 };
  const last = { at: 0, bytes: 50 * 2 ** 20, free: 1000 * 2 ** 20 };
  expect(lookDue(undefined, last, rules)).toBe(true);
  expect(lookDue(last, { ...last, at: 500 }, rules)).toBe(false);
  expect(lookDue(last, { ...last, at: 500, free: 970 * 2 ** 20 }, rules)).toBe(true);
  expect(lookDue(last, { ...last, at: 1000 }, rules)).toBe(true);
  expect(cpuPercent({ cpu: 1, at: 0 }, { cpu: 1.5, at: 1000 })).toBe(50);
  expect(cpuPercent(undefined, { cpu: 1.5, at: 1000 })).toBe(0);
});

test("the first looks for readiness come quickly", () => {
  expect(pause(0)).toBe(5);
  expect(pause(50)).toBe(100);
});

test("sizes and listings have the widths of 2012", () => {
  expect([0, 512, 1024, 1234, 3.4 * 2 ** 20, 5.6 * 2 ** 30, 7.8 * 2 ** 40].map(sizeText)).toEqual([
    "0B",
    "512B",
    "1.0K",
    "1.2K",
    "3.4M",
    "5.6G",
    "7.8T",
  ]);
  const entries = [
    { name: "b", directory: false, size: 2 },
    { name: "a", directory: true, size: 4096 },
  ];
  expect(listing(entries)).toBe(`a/${" ".repeat(33)} ${" ".repeat(9)}-\nb${" ".repeat(34)} ${" ".repeat(8)}2B`);
  expect(listing([])).toBe("");
});

test("paths that want out or at our scripts are forbidden, others are split", () => {
  expect(parsePath("/droplets/x-0-i/app/a%20b?q=1")).toEqual({ staged: "x-0-i", path: "app/a b" });
  expect(parsePath("/droplets//x-0-i//")).toEqual({ staged: "x-0-i", path: "" });
  for (const path of ["x/../y", "x/a/%2e%2e/b", "x/startup", "x/app/stop/", "../x"])
    expect(parsePath(`/droplets/${path}`)).toBe("forbidden");
  for (const path of ["/droplets", "/droplets/", "/other/x", "/droplets/%zz"]) expect(parsePath(path)).toBe("missing");
});

test("ranges", () => {
  expect(parseRange("bytes=0-0", 10)).toEqual({ from: 0, to: 0 });
  expect(parseRange("bytes=5-99", 10)).toEqual({ from: 5, to: 9 });
  expect(parseRange("bytes=-99", 10)).toEqual({ from: 0, to: 9 });
  expect(parseRange("bytes=10-", 10)).toBe("bad");
  expect(parseRange("bytes=0-1,3-4", 10)).toBeUndefined();
  expect(parseRange(undefined, 10)).toBeUndefined();
});

test("lines are put together from whatever pieces they come in", () => {
  const split = splitter();
  expect(split.push(Buffer.from("one\r\ntw"))).toEqual(["one"]);
  expect(split.open).toBe(2);
  expect(split.push(Buffer.from("o\n\nthree"))).toEqual(["two", ""]);
  expect(split.flush()).toEqual(["three"]);
  expect(split.flush()).toEqual([]);
});

test("a character in two pieces stays whole, a line without end is cut once", () => {
  const split = splitter();
  const euro = Buffer.from("€\n");
  expect([...split.push(euro.subarray(0, 1)), ...split.push(euro.subarray(1))]).toEqual(["€"]);
  const long = Buffer.alloc(50_000, "x");
  const cut = [...split.push(long), ...split.push(long), ...split.push(long), ...split.push(Buffer.from("\nnext\n"))];
  expect(cut.map((line) => line.length > 65_536)).toEqual([true, false]);
  expect(cut[1]).toBe("next");
});

test("after a gap inside a line its rest is left out", () => {
  const split = splitter();
  split.push(Buffer.from("begun"));
  split.gap(true);
  expect(split.push(Buffer.from("rest\nnew\n"))).toEqual(["new"]);
  split.gap(false);
  expect(split.push(Buffer.from("whole\n"))).toEqual(["whole"]);
});

test("an allowance grows with time and not beyond two seconds", () => {
  const given = allowance(1000, 0);
  expect(given.left(0)).toBe(2000);
  given.spend(2000);
  expect(given.left(500)).toBe(500);
  expect(given.left(99_000)).toBe(2000);
  expect(droppedText(2 ** 20, 1024, 2 ** 20)).toBe("about 1024 lines (1.0 MiB) dropped: output faster than 1024 KiB/s");
});

test("batches keep to size and number", () => {
  const lines = Array.from({ length: 7 }, () => ({ text: "12345" }));
  expect(batches(lines, 12, 100).map((group) => group.length)).toEqual([2, 2, 2, 1]);
  expect(batches(lines, 1000, 3).map((group) => group.length)).toEqual([3, 3, 1]);
  expect(batches([], 12, 3)).toEqual([]);
});

test("the kernel's tables are read, also with a program name that wants to confuse", () => {
  const line = `42 (a) R 1 (x) S 1 42 42 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 11 0 987654 1000 2500 ${"0 ".repeat(20)}`;
  expect(parseStat(line)).toEqual({ pid: 42, state: "S", session: 42, cpu: 200, started: 987654, rss: 2500 });
  const row = (address: string, state: string, inode: string) =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 0 0 ${inode} 1 0 100 0`;
  const table = [
    "head",
    row("0100007F:0BB8", "0A", "7"),
    row("00000000:1F90", "0A", "8"),
    row("0100007F:0BB9", "01", "9"),
  ];
  expect([...parseListeners(table.join("\n"))]).toEqual([
    ["7", { address: "127.0.0.1", port: 3000 }],
    ["8", { address: "all addresses", port: 8080 }],
  ]);
});

test("a secret of the environment is in no argument, and a start command is one argument", () => {
  const box = { id: "i", slot: 0, directory: "/x", limits: { mem: 1, disk: 2, fds: 3 } };
  const env = { SECRET: "s3cret" };
  const none = { processes: 0, setpriv: undefined };
  const own = startCommand(box, { command: "a; b", port: 1, env }, none);
  expect(own.args.slice(-5)).toEqual([".", "./startup", "-p", "1", "a; b"]);
  const usual = startCommand(
    box,
    { command: undefined, port: 61001, env },
    { processes: 9, setpriv: "/usr/bin/setpriv" },
  );
  expect(usual.args.slice(-7)).toEqual([".", "/usr/bin/setpriv", "--no-new-privs", "--", "./startup", "-p", "61001"]);
  expect(JSON.stringify([own, usual])).not.toContain("s3cret");
  expect(limited({ fds: 3, file: 2, processes: 9 }, ".", []).args.slice(3, 6)).toEqual(["3", "4096", "9"]);
});
