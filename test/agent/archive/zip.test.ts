import { execFile } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BadArchive } from "../../../agent/archive/bad.ts";
import { zipLimits } from "../../../agent/archive/entry.ts";
import type { ZipSource } from "../../../agent/archive/pack.ts";
import { extractZip, inspectZip, mergeZip, writeZip } from "../../../agent/archive/zip.ts";
import { layZip, type RawEntry, type RawZip, rawZip } from "../../support/zip.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "zip-"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const run = promisify(execFile);
const at = (...names: string[]) => join(home, ...names);
const text = (name: string, content: string, mode = 0o644): ZipSource => ({
  name,
  mode,
  open: () => Readable.from([Buffer.from(content)]),
});

/** Everything below a folder: path → content, link target or "dir", with x for executables. */
async function tree(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (entry.isDirectory()) found[name] = "dir";
    else if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else found[name] = `${(await stat(path)).mode & 0o100 ? "x " : ""}${await readFile(path, "utf8")}`;
  }
  return found;
}

describe("archives that are refused", () => {
  const zeros = Buffer.alloc(12 * 1024 * 1024);
  const link = (name: string, target: string): RawEntry => ({ name, data: target, mode: 0o120777 });
  const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({ name, data: "x", ...more });
  const many = Array.from({ length: 12 }, (_, i) => file(`f${i}`));
  const special = (link: string) =>
    Buffer.concat([Buffer.from([0x0d, 0, 12 + link.length, 0]), Buffer.alloc(12), Buffer.from(link)]);

  const hostile: [situation: string, code: string, entries: RawEntry[], options?: RawZip][] = [
    ["a name that climbs out", "outside", [file("../evil")]],
    ["a name that climbs out half way", "outside", [file("a/../../evil")]],
    ["a name that ends in ..", "outside", [file("a/..")]],
    ["an absolute name", "outside", [file("/etc/passwd")]],
    ["a drive letter", "outside", [file("C:evil")]],
    ["a name that climbs out by backslashes", "outside", [file("..\\evil")]],
    ["a backslash", "bad_name", [file("a\\b")]],
    ["a NUL in a name", "bad_name", [file("a\0.txt")]],
    ["a line feed in a name", "bad_name", [file("a\nb")]],
    ["an escape sequence in a name", "bad_name", [file("\u001b[2Jx")]],
    ["an empty name", "bad_name", [file("")]],
    ["an empty part in a name", "bad_name", [file("a//b")]],
    ["a dot as a part of a name", "bad_name", [file("./a")]],
    ["a part no file system takes", "bad_name", [file("x".repeat(256))]],
    ["a name longer than allowed", "bad_name", [file(`${"y/".repeat(600)}z`)]],
    ["a name that says UTF-8 and is not", "bad_name", [file("?", { name: Buffer.from([0x61, 0xff, 0x62]) })]],
    ["a symlink with an absolute target", "bad_link", [link("l", "/etc/passwd")]],
    ["a symlink that leaves the tree", "bad_link", [link("a/l", "../../etc")]],
    ["a symlink that leaves the tree through another", "bad_link", [link("a/b/up", "../.."), link("s", "a/b/up/../x")]],
    ["symlinks in a circle", "bad_link", [link("a", "b"), link("b", "a")]],
    ["a symlink with no target", "bad_link", [link("l", "")]],
    ["a symlink with a NUL", "bad_link", [link("l", "a\0b")]],
    ["a symlink as long as a file", "bad_link", [link("l", "x/".repeat(3000))]],
    ["a file written through a symlink", "bad_link", [link("l", "d"), file("l/f")]],
    ["a file written through a symlink that comes later", "bad_link", [file("l/f"), link("l", "d")]],
    ["a character device", "special_file", [file("null", { mode: 0o020666 })]],
    ["a block device", "special_file", [file("sda", { mode: 0o060660 })]],
    ["a pipe", "special_file", [file("p", { mode: 0o010644 })]],
    ["a socket", "special_file", [file("s", { mode: 0o140755 })]],
    ["a hard link", "special_file", [file("h", { extra: special("/etc/shadow") })]],
    ["the same name twice", "duplicate", [file("a"), file("a")]],
    ["the same name in two Unicode forms", "duplicate", [file("caf\u00e9"), file("cafe\u0301")]],
    ["a file that is a folder too", "duplicate", [file("a"), file("a/b")]],
    ["a file and an empty folder of one name", "duplicate", [file("a"), { name: "a/", mode: 0o040755 }]],
    ["a folder with content", "damaged", [{ name: "a/", data: "x", mode: 0o040755 }]],
    ["a folder's name on a file", "damaged", [file("a/", { mode: 0o100644 })]],
    ["an encrypted entry", "encrypted", [file("a", { flags: 0x801 })]],
    ["a strongly encrypted entry", "encrypted", [file("a", { flags: 0x840 })]],
    ["an unknown way of packing", "unsupported", [file("a", { method: 12 })]],
    [
      "two entries with the same bytes",
      "overlap",
      [file("a"), file("b", { sharesDataOf: 0, name: "a", localName: "a" })],
    ],
    [
      "an entry that lies over the next",
      "overlap",
      [file("a", { size: 40, packedSize: 40 }), file("b", { data: "yyyyyyyyyyyy" })],
    ],
    ["an entry that reaches into the list", "overlap", [file("a", { size: 30, packedSize: 30 })]],
    ["an entry behind the end of the file", "damaged", [file("a", { offset: 1_000_000 })]],
    ["an entry with two names", "damaged", [file("good", { localName: "evil" })]],
    ["an entry that unpacks to more than it says", "size_lies", [{ name: "a", data: zeros, deflate: true, size: 10 }]],
    [
      "an entry that unpacks to less than it says",
      "size_lies",
      [{ name: "a", data: "abc", deflate: true, size: 1000 }],
    ],
    ["a stored entry with two sizes", "size_lies", [file("a", { size: 100 })]],
    ["content that does not match its checksum", "damaged", [file("a", { crc: 1 })]],
    ["content that cannot be unpacked", "damaged", [file("a", { data: "not deflated", method: 8 })]],
    ["too many entries", "too_many", many],
    ["more entries than the archive says", "damaged", [file("a"), file("b")], { count: 1 }],
    ["fewer entries than the archive says", "truncated", [file("a")], { count: 3 }],
    ["bytes between the list and its end", "damaged", [file("a")], { gap: Buffer.from("hidden") }],
    ["a bomb", "bomb", [{ name: "a", data: zeros, deflate: true }]],
    [
      "more than the limit in all",
      "too_big",
      [
        { name: "a", data: zeros, deflate: true },
        { name: "b", data: zeros, deflate: true },
      ],
    ],
  ];
  const limits = { ...zipLimits, entries: 10, bytes: 20 * 1024 * 1024 };

  test.each(hostile)("%s is refused as %s", async (_situation, code, entries, options) => {
    const zip = await layZip(at("hostile.zip"), entries, options);
    const seen = await inspectZip(zip, limits).catch((error) => error);
    expect(seen).toBeInstanceOf(BadArchive);
    expect(seen.code).toBe(code);
    expect(seen.hint).not.toBe("");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing of the name may reach a terminal raw
    expect(seen.message).not.toMatch(/[\u0000-\u001f]/);
    await mkdir(at("in"));
    await expect(extractZip(zip, at("in", "app"), limits)).rejects.toMatchObject({ code: seen.code });
    expect(await tree(home)).toEqual({ "hostile.zip": expect.any(String), in: "dir" });
  });

  test.each([
    ["a text", Buffer.from("hello, world: this is not an archive at all"), "not_a_zip"],
    ["an empty file", Buffer.alloc(0), "not_a_zip"],
    ["an archive cut off in the middle", rawZip([file("a", { data: "x".repeat(500) })]).subarray(0, 300), "truncated"],
    ["an archive with something after it", Buffer.concat([rawZip([file("a")]), Buffer.from("more")]), "damaged"],
    ["one part of several", multiDisk(), "unsupported"],
  ])("%s is refused", async (_situation, bytes, code) => {
    await writeFile(at("x.zip"), bytes);
    await expect(inspectZip(at("x.zip"))).rejects.toMatchObject({ name: "BadArchive", code });
  });

  function multiDisk(): Buffer {
    const zip = rawZip([file("a")]);
    zip.writeUInt16LE(2, zip.length - 22 + 4);
    return zip;
  }

  test("the reason names the entry", async () => {
    const zip = await layZip(at("x.zip"), [file("fine"), file("../../evil")]);
    await expect(inspectZip(zip)).rejects.toThrow('"../../evil"');
  });

  test("an archive cut off anywhere is refused and leaves nothing", async () => {
    const whole = rawZip([file("a/b", { data: "hello".repeat(30), deflate: true }), link("l", "a/b")]);
    for (let length = 0; length < whole.length; length += 7) {
      await writeFile(at("cut.zip"), whole.subarray(0, length));
      await expect(extractZip(at("cut.zip"), at("app"))).rejects.toBeInstanceOf(BadArchive);
      expect(existsSync(at("app"))).toBe(false);
    }
  });

  test("a flipped byte never gets out of the folder", async () => {
    const whole = rawZip([file("a/b", { data: "hello".repeat(9), deflate: true }), link("l", "a/b"), file("c")]);
    for (let i = 0; i < whole.length; i++) {
      const bytes = Buffer.from(whole);
      bytes[i] = (bytes[i] ?? 0) ^ 0x2f;
      await writeFile(at("flip.zip"), bytes);
      await mkdir(at("in"), { recursive: true });
      const error = await extractZip(at("flip.zip"), at("in", "app")).catch((cause) => cause);
      if (error) expect(error).toBeInstanceOf(BadArchive);
      expect(Object.keys(await tree(home)).filter((name) => !name.startsWith("in"))).toEqual(["flip.zip"]);
      await rm(at("in"), { recursive: true });
    }
  });

  test("what was written before the lie was found is taken back, what was there before is left", async () => {
    const zip = await layZip(at("x.zip"), [file("d/a"), file("d/e/b", { crc: 7 })]);
    await mkdir(at("app", "d"), { recursive: true });
    await writeFile(at("app", "d", "mine"), "kept");
    await expect(extractZip(zip, at("app"))).rejects.toMatchObject({ code: "damaged" });
    expect(await tree(at("app"))).toEqual({ d: "dir", "d/mine": "kept" });
  });

  test("a bomb costs no memory before it is refused", async () => {
    const zip = await layZip(at("x.zip"), [
      { name: "a", data: Buffer.alloc(64 * 1024 * 1024), deflate: true, size: 4096 },
    ]);
    const before = process.memoryUsage().arrayBuffers;
    await expect(inspectZip(zip)).rejects.toMatchObject({ code: "size_lies" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });
});

describe("archives that are taken", () => {
  test("what goes in comes out: contents, executable bits, empty files and folders, links", async () => {
    const link = { name: "bin/tool", mode: 0o120777, open: () => Readable.from([Buffer.from("../run.sh")]) };
    const files = [text("run.sh", "#!/bin/sh\n", 0o755), text("a/b/ü.txt", "ü"), text("empty", ""), link];
    await writeZip(at("a.zip"), [...files, { name: "void/", mode: 0o755, open: () => Readable.from([]) }]);
    await extractZip(at("a.zip"), at("app"));
    expect(await tree(at("app"))).toEqual({
      "run.sh": "x #!/bin/sh\n",
      a: "dir",
      "a/b": "dir",
      "a/b/ü.txt": "ü",
      empty: "",
      bin: "dir",
      "bin/tool": "-> ../run.sh",
      void: "dir",
    });
    expect(await inspectZip(at("a.zip"))).toContainEqual({
      name: "bin/tool",
      size: 9,
      mode: 0o777,
      kind: "symlink",
      target: "../run.sh",
    });
  });

  test("the same files make the same bytes", async () => {
    const files = () => [text("a", "one"), text("b", "two".repeat(1000), 0o755)];
    await writeZip(at("1.zip"), files());
    await writeZip(at("2.zip"), files());
    expect(await readFile(at("1.zip"))).toEqual(await readFile(at("2.zip")));
  });

  test("an archive of a system without modes, with names of its own code page, is read", async () => {
    const name = Buffer.from([0x81, 0x2e, 0x74, 0x78, 0x74]);
    const zip = await layZip(at("x.zip"), [{ name, data: "x", flags: 0, mode: 0, madeBy: 0 }]);
    expect(await inspectZip(zip)).toEqual([{ name: "ü.txt", size: 1, mode: 0, kind: "file" }]);
  });

  test("an empty archive holds nothing", async () => {
    expect(await inspectZip(await layZip(at("x.zip"), []))).toEqual([]);
  });

  test("an archive behind a program and with a comment is read", async () => {
    const zip = await layZip(at("x.zip"), [{ name: "a", data: "x" }], {
      prefix: Buffer.from("#!/bin/sh\n"),
      comment: "hi",
    });
    expect(await inspectZip(zip)).toHaveLength(1);
  });

  test.runIf(existsSync("/usr/bin/zip"))("what the system's zip packs we unpack", async () => {
    await mkdir(at("src", "deep", "er"), { recursive: true });
    await writeFile(at("src", "deep", "er", "file"), "content".repeat(999));
    await writeFile(at("src", "run"), "#!/bin/sh\n", { mode: 0o755 });
    await symlink("deep/er/file", at("src", "link"));
    await run("zip", ["-qry", at("sys.zip"), "."], { cwd: at("src") });
    await extractZip(at("sys.zip"), at("app"));
    expect(await tree(at("app"))).toEqual(await tree(at("src")));
  });

  test.runIf(existsSync("/usr/bin/unzip"))("what we pack the system's unzip unpacks to the same", async () => {
    const link = { name: "d/l", mode: 0o120777, open: () => Readable.from([Buffer.from("x")]) };
    await writeZip(at("a.zip"), [text("d/x", "hello".repeat(5000), 0o755), text("e", ""), link]);
    await run("unzip", ["-q", at("a.zip"), "-d", at("theirs")]);
    await extractZip(at("a.zip"), at("ours"));
    expect(await tree(at("ours"))).toEqual(await tree(at("theirs")));
  });

  test("a hundred megabytes go through in little memory", async () => {
    const size = 100 * 1024 * 1024;
    const chunk = Buffer.alloc(1024 * 1024, "0123456789abcdef");
    const open = () => Readable.from(Array.from({ length: 100 }, () => chunk));
    await writeZip(at("big.zip"), [{ name: "big", mode: 0o644, size, compress: false, open }]);
    const before = process.memoryUsage().rss;
    await extractZip(at("big.zip"), at("app"));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    expect((await stat(at("app", "big"))).size).toBe(size);
  });
});

describe("packing that fails", () => {
  test("a file that cannot be read leaves no archive", async () => {
    const gone = { name: "b", mode: 0o644, open: () => createReadStream(at("not there")) };
    await expect(writeZip(at("a.zip"), [text("a", "x"), gone])).rejects.toMatchObject({ code: "ENOENT" });
    expect(existsSync(at("a.zip"))).toBe(false);
  });

  test("a file that has grown meanwhile leaves no archive", async () => {
    const grown = { ...text("a", "longer than said"), size: 3 };
    await expect(writeZip(at("a.zip"), [grown, text("b", "x")])).rejects.toThrow();
    expect(existsSync(at("a.zip"))).toBe(false);
  });

  test("an archive that is there already is not written over", async () => {
    await writeFile(at("a.zip"), "mine");
    await expect(writeZip(at("a.zip"), [text("a", "x")])).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(at("a.zip"), "utf8")).toBe("mine");
  });

  test("a place that cannot be written is the system's error", async () => {
    await expect(writeZip(at("no", "a.zip"), [text("a", "x".repeat(100_000))])).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});

describe("merging", () => {
  test("uploaded entries and files known from before become one archive", async () => {
    await writeZip(at("up.zip"), [text("app.js", "new", 0o755), text("lib/a.js", "a".repeat(9999))]);
    await mergeZip({ upload: at("up.zip"), extra: [text("lib/b.js", "b"), text("app.js", "old")] }, at("all.zip"));
    await extractZip(at("all.zip"), at("app"));
    expect(await tree(at("app"))).toEqual({
      "app.js": "x new",
      lib: "dir",
      "lib/a.js": "a".repeat(9999),
      "lib/b.js": "b",
    });
  });

  test("everything known from before needs no upload", async () => {
    await mergeZip({ extra: [text("a", "1"), text("b/c", "2")] }, at("all.zip"));
    expect((await inspectZip(at("all.zip"))).map(({ name }) => name)).toEqual(["a", "b/c"]);
  });

  test("a known file must not be put behind an uploaded link", async () => {
    await layZip(at("up.zip"), [{ name: "lib", data: "elsewhere", mode: 0o120777 }]);
    const merging = mergeZip({ upload: at("up.zip"), extra: [text("lib/b.js", "b")] }, at("all.zip"));
    await expect(merging).rejects.toMatchObject({ code: "bad_link" });
    expect(existsSync(at("all.zip"))).toBe(false);
  });

  test("a known file with a hostile name is refused", async () => {
    await expect(mergeZip({ extra: [text("../b", "b")] }, at("all.zip"))).rejects.toMatchObject({ code: "outside" });
  });

  test("an upload whose content is damaged leaves no archive", async () => {
    await layZip(at("up.zip"), [{ name: "a", data: "x", crc: 3 }]);
    await expect(mergeZip({ upload: at("up.zip"), extra: [] }, at("all.zip"))).rejects.toMatchObject({
      code: "damaged",
    });
    expect(existsSync(at("all.zip"))).toBe(false);
  });

  test("links and folders of the upload stay what they are", async () => {
    await layZip(at("up.zip"), [
      { name: "d/", mode: 0o040755 },
      { name: "l", data: "d", mode: 0o120777 },
    ]);
    await mergeZip({ upload: at("up.zip"), extra: [] }, at("all.zip"));
    await extractZip(at("all.zip"), at("app"));
    expect(await tree(at("app"))).toEqual({ d: "dir", l: "-> d" });
  });
});

test("a file that is not there is the system's error, not a bad archive", async () => {
  await expect(inspectZip(at("none.zip"))).rejects.toMatchObject({ code: "ENOENT" });
  await layZip(at("a.zip"), [{ name: "a", data: "x" }]);
  await truncate(at("a.zip"), 0);
  await expect(inspectZip(at("a.zip"))).rejects.toMatchObject({ code: "not_a_zip" });
});
