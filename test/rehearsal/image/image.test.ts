import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silent } from "../../../agent/run/log.ts";
import { cachedImage, ensureImage } from "../../../rehearsal/image/image.ts";
import { hashOf, type Recipe, recipe } from "../../../rehearsal/image/recipe.ts";
import { run } from "../../../rehearsal/room/programs.ts";
import { noMachines } from "../../support/machines.ts";
import { until } from "../../support/until.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "tutti-image-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

// A Debian of four files: what is tested here is how an image is made of a directory, once.
async function fill(_recipe: Recipe, root: string): Promise<void> {
  for (const [path, text] of Object.entries({
    "etc/resolv.conf": "nameserver 10.0.0.1\n",
    "etc/hostname": "builder\n",
    "etc/ssh/ssh_host_rsa_key": "secret",
    "etc/apt/apt.conf.d/99mmdebstrap": "proxy",
    "usr/bin/kept": "kept",
  })) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const build = (more: object = {}) => ensureImage({ log: silent, cache, fill, ...more });
/** What a path of the image is, as the file system itself says. */
const inImage = (path: string, what: string) => run("debugfs", ["-R", `${what} /${path}`, image()]);
const image = () => cachedImage(cache)?.path ?? "";
const folders = () => readdirSync(cache).filter((name) => name !== "lock");

describe("the image of machines", () => {
  it("is built once and found from then on, by the hash of its recipe", async () => {
    expect(cachedImage(cache)).toBeUndefined();
    const first = await build();
    expect(first).toEqual({
      path: join(cache, hashOf(recipe()), "golden.ext4"),
      hash: hashOf(recipe()),
      builtMs: expect.any(Number),
    });
    const again = await build({ fill: () => Promise.reject(new Error("built twice")) });
    expect(again).toEqual({ path: first.path, hash: first.hash });
  });

  it("has 8 GiB and takes a small part of that", async () => {
    const { path } = await build();
    const { size, blocks } = statSync(path);
    expect(size).toBe(8 * 2 ** 30);
    expect(blocks * 512).toBeLessThan(32 * 2 ** 20);
    expect(execFileSync("blkid", ["-o", "value", "-s", "LABEL", path], { encoding: "utf8" }).trim()).toBe(
      "cloudimg-rootfs",
    );
  });

  it("has nothing of the computer that built it, and nothing that each machine has its own of", async () => {
    await build();
    expect(await inImage("usr/bin/kept", "cat")).toContain("kept");
    expect(await inImage("etc/resolv.conf", "stat")).toMatch(/Size: 0\b/);
    expect(await inImage("etc/machine-id", "stat")).toMatch(/Size: 0\b/);
    for (const gone of ["etc/hostname", "etc/ssh/ssh_host_rsa_key", "etc/apt/apt.conf.d/99mmdebstrap"])
      expect(await inImage(gone, "stat")).toContain("File not found");
    expect(await inImage("etc/systemd/system/haproxy.service", "stat")).toContain('Fast link dest: "/dev/null"');
    expect(await inImage("etc/cloud/cloud.cfg.d/01_debian_cloud.cfg", "cat")).toContain("locale: C.UTF-8");
  });

  it("takes the place of older ones and of what was never finished", async () => {
    for (const name of ["0123456789abcdef", "fedcba9876543210.part"])
      mkdirSync(join(cache, name, "root"), { recursive: true });
    const { hash } = await build();
    expect(folders()).toEqual([hash]);
  });

  it("is not there when it could not be finished, and the reason is told with the next step", async () => {
    const half = async (_: Recipe, root: string) => {
      mkdirSync(root);
      throw new Error("no mirror answers");
    };
    await expect(build({ fill: half })).rejects.toMatchObject({
      ...{ name: "ImageFailed", code: "image_failed", message: expect.stringContaining("no mirror answers") },
      hint: expect.stringContaining("network"),
    });
    expect(folders()).toEqual([]);
    expect((await build()).builtMs).toBeDefined();
  });

  it("is not begun, or not finished, when it is stopped", async () => {
    const stop = new AbortController();
    const slow = async (_: Recipe, root: string, signal?: AbortSignal) => {
      mkdirSync(root);
      stop.abort();
      await run("sleep", ["1000"], { stop: signal });
    };
    await expect(build({ fill: slow, stop: stop.signal })).rejects.toMatchObject({ code: "stopped" });
    expect(folders()).toEqual([]);
  });

  it("is built by one when several want it at once", async () => {
    let fills = 0;
    const counted = async (one: Recipe, root: string) => {
      fills++;
      await fill(one, root);
    };
    const built = await Promise.all([1, 2, 3].map(() => build({ fill: counted })));
    expect(fills).toBe(1);
    expect(built.filter(({ builtMs }) => builtMs !== undefined)).toHaveLength(1);
  });

  it("can be built after the one who was at it was killed", async () => {
    const module = fileURLToPath(new URL("../../../rehearsal/image/image.ts", import.meta.url));
    const code = `import { ensureImage } from ${JSON.stringify(module)};
      const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
      const fill = async () => { console.log("at it"); await new Promise((r) => setTimeout(r, 1e6)); };
      await ensureImage({ log, cache: ${JSON.stringify(cache)}, fill });`;
    const other = spawn(process.execPath, ["--input-type=module", "--eval", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(other.stdout, "data");
    const mine = build();
    other.kill("SIGKILL");
    expect((await mine).builtMs).toBeDefined();
    await until(() => !existsSync(join(cache, `${hashOf(recipe())}.part`)), { what: "nothing half made is left" });
  });
});

describe.skipIf(noMachines)("the real image", () => {
  it("has what cloud-init and the nodes need", async () => {
    const { path } = await ensureImage({ log: silent });
    const there = async (file: string) => await run("debugfs", ["-R", `stat ${file}`, path]);
    for (const file of [
      "/usr/bin/cloud-init",
      "/usr/sbin/sshd",
      "/usr/sbin/haproxy",
      "/usr/bin/crun",
      "/usr/bin/npm",
      "/usr/sbin/nft",
    ])
      expect(await there(file)).toMatch(/Type: (regular|symlink)/);
    expect(await there("/etc/ssh/ssh_host_ed25519_key")).toContain("File not found");
  }, 900_000);
});
