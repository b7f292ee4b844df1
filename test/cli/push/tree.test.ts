import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { extractZip } from "../../../agent/archive/zip.ts";
import { readTree } from "../../../cli/push/tree.ts";
import { zipOf } from "../../../cli/push/zip.ts";

let app: string;

beforeEach(async () => {
  app = await mkdtemp(join(tmpdir(), "tutti-tree-"));
});
afterEach(() => rm(app, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(app, path, ".."), { recursive: true });
  await writeFile(join(app, path), text);
}

describe("a directory that is pushed", () => {
  test("gives its files, links and empty directories in one order", async () => {
    await write("b.txt", "b");
    await write("a/deep/file.js", "x");
    await mkdir(join(app, "empty"));
    await symlink("../b.txt", join(app, "a/link"));
    const entries = await readTree(app);
    expect(entries.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "file a/deep/file.js",
      "link a/link",
      "file b.txt",
      "directory empty",
    ]);
  });

  test("leaves behind what the ignore files and the manifest name, and all below it", async () => {
    await write(".cfignore", "secret/\n*.log\n");
    await write(".stackatoignore", "old\n");
    for (const path of ["secret/key", "a.log", "old/x", "tmp/y", "keep.js", ".git/config"]) await write(path, "x");
    expect((await readTree(app, ["tmp"])).map(({ path }) => path)).toEqual(["keep.js"]);
  });

  test("has checksums only for files large enough to ask about", async () => {
    await write("large.bin", "x".repeat(64 * 1024));
    await write("small.bin", "x".repeat(64 * 1024 - 1));
    const [large, small] = await readTree(app);
    expect(large?.sha1).toMatch(/^[0-9a-f]{40}$/);
    expect(small?.sha1).toBeUndefined();
  });

  test.each(["../outside", "/etc/passwd", "a/../../x"])(
    "with a link to %s is refused with the way out",
    async (target) => {
      await write("x", "x");
      await symlink(target, join(app, "bad"));
      await expect(readTree(app)).rejects.toMatchObject({
        code: "link_outside",
        hint: expect.stringContaining("/bad >> .cfignore"),
      });
    },
  );

  test("that is empty, missing or a file is refused as what it is", async () => {
    await expect(readTree(app)).rejects.toMatchObject({ code: "nothing_to_push" });
    await expect(readTree(join(app, "no"))).rejects.toMatchObject({
      message: `there is no directory ${join(app, "no")}`,
    });
    await write("file", "x");
    await expect(readTree(join(app, "file"))).rejects.toMatchObject({ code: "no_directory" });
  });
});

describe("a file that may not be read", () => {
  test("is named before anything is made, with the way to leave it behind", async () => {
    await write("web/key.pem", "secret");
    await chmod(join(app, "web/key.pem"), 0o000);
    await chmod(app, 0o755);
    expect(await readByAnybody()).toEqual({
      message: `${join(app, "web/key.pem")} cannot be read: permission denied`,
      hint: "change its permissions, or leave it behind: echo /web/key.pem >> .cfignore",
    });
  });

  /** Root reads everything: a process of nobody's tells what others meet. */
  async function readByAnybody(): Promise<unknown> {
    const tree = new URL("../../../cli/push/tree.ts", import.meta.url).href;
    const code = `const { readTree } = await import(${JSON.stringify(tree)});
      await readTree(process.argv[1]).catch(({ message, hint }) => console.log(JSON.stringify({ message, hint })));`;
    const who = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code, app], { cwd: "/", ...who });
    return JSON.parse(stdout);
  }
});

describe("the zip of it", () => {
  test("unpacks to the same files, modes and links by the cluster's own reader", async () => {
    await write("run.sh", "#!/bin/sh\necho hi\n");
    await chmod(join(app, "run.sh"), 0o755);
    await write("data/ü nïcode.txt", "text ".repeat(10_000));
    await write("image.png", "not really");
    await symlink("data", join(app, "current"));
    await mkdir(join(app, "empty"));
    const at = join(app, "..", `${app.split("/").at(-1)}.zip`);
    const to = `${at}.d`;
    try {
      await pipeline(zipOf(await readTree(app)), createWriteStream(at));
      await mkdir(to);
      await extractZip(at, to);
      expect(await readFile(join(to, "data/ü nïcode.txt"), "utf8")).toBe("text ".repeat(10_000));
      expect((await stat(join(to, "run.sh"))).mode & 0o111).toBe(0o111);
      expect(await readlink(join(to, "current"))).toBe("data");
      expect((await stat(join(to, "empty"))).isDirectory()).toBe(true);
    } finally {
      await rm(at, { force: true });
      await rm(to, { recursive: true, force: true });
    }
  });

  test("is the same bytes for the same tree", async () => {
    for (const path of ["z", "a/b", "m.js"]) await write(path, path.repeat(100));
    const first = await buffer(zipOf(await readTree(app)));
    expect(Buffer.compare(first, await buffer(zipOf(await readTree(app))))).toBe(0);
    await utimes(join(app, "z"), 1, 1);
    expect(Buffer.compare(first, await buffer(zipOf(await readTree(app))))).not.toBe(0);
  });

  test("of a file that vanished meanwhile fails instead of hanging", async () => {
    await write("a", "x");
    const entries = await readTree(app);
    await rm(join(app, "a"));
    await expect(buffer(zipOf(entries))).rejects.toThrow("ENOENT");
  });
});
