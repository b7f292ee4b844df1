import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { processDriver } from "../../../agent/dea/processDriver.ts";
import { droplet, scratch, served, shell } from "../../support/dea.ts";

async function unpacked(tarball: string) {
  const root = join(scratch(), "instances");
  const driver = processDriver({ root });
  await driver.open();
  const box = { id: "i", slot: 3, directory: join(root, "x-0-i"), limits: { mem: 64, disk: 64, fds: 64 } };
  const result = await driver.fill(box, tarball, new AbortController().signal).then(
    () => "unpacked",
    (error: Error) => error.message,
  );
  return { root, box, result };
}

test("a droplet is unpacked for its own user only", async () => {
  const { box, result } = await unpacked(droplet({ ...shell("true"), "app/x": "y" }).path);
  expect(result).toBe("unpacked");
  expect(statSync(box.directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(box.directory, "app", "x")).mode & 0o077).toBe(0);
  expect(readdirSync(box.directory).sort()).toEqual(["app", "logs", "startup", "tmp"]);
});

test("members that leave the directory are refused, and nothing is written outside", async () => {
  const directory = scratch();
  writeFileSync(join(directory, "evil"), "evil");
  const up = join(directory, "up.tgz");
  execFileSync("tar", ["-czPf", up, "-C", directory, "--transform", "s,evil,../../evil,", "evil"]);
  const { root, result } = await unpacked(up);
  expect(result).toMatch(/could not be unpacked: .*\.\./);
  expect(existsSync(join(root, "..", "evil"))).toBe(false);
});

test("an absolute name stays inside", async () => {
  const directory = scratch();
  writeFileSync(join(directory, "evil"), "evil");
  const absolute = join(directory, "absolute.tgz");
  execFileSync("tar", ["-czPf", absolute, "--transform", "s,^.*/evil,/tmp/tutti-dea-evil,", join(directory, "evil")]);
  const { box } = await unpacked(absolute);
  expect(existsSync("/tmp/tutti-dea-evil")).toBe(false);
  expect(existsSync(join(box.directory, "tmp", "tutti-dea-evil"))).toBe(true);
});

test("a link to elsewhere is not written through", async () => {
  const victim = scratch();
  const directory = scratch();
  const tar = join(directory, "link.tar");
  symlinkSync(victim, join(directory, "app"));
  execFileSync("tar", ["-cPf", tar, "-C", directory, "app"]);
  const second = join(directory, "second");
  mkdirSync(join(second, "app"), { recursive: true });
  writeFileSync(join(second, "app", "evil"), "evil");
  execFileSync("tar", ["-rPf", tar, "-C", second, "app/evil"]);
  execFileSync("gzip", [tar]);
  await unpacked(`${tar}.gz`);
  expect(readdirSync(victim)).toEqual([]);
});

test("directories of ours are directories whatever the droplet put there", async () => {
  const elsewhere = scratch();
  const { path } = droplet(shell("true"), (content) => {
    execFileSync("rm", ["-r", join(content, "logs")]);
    symlinkSync(elsewhere, join(content, "logs"));
  });
  const { box, result } = await unpacked(path);
  expect(result).toBe("unpacked");
  expect(lstatSync(join(box.directory, "logs")).isDirectory()).toBe(true);
});

test("what is no archive says so", async () => {
  const path = join(scratch(), "no.tgz");
  writeFileSync(path, "this is no archive");
  served(path);
  expect((await unpacked(path)).result).toMatch(/could not be unpacked: .*not in gzip format/);
});
