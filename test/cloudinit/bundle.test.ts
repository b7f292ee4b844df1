import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { birthWith, type Machine, machine } from "../support/cloudinit.ts";

// The real agent bundle: made as a person makes it, and booted in a directory that stands for a machine.

interface Made {
  path: string;
  sha256: string;
  size: number;
  version: string;
  architecture: string;
}

const project = fileURLToPath(new URL("../..", import.meta.url));
let work: string;
let made: Made;

/** Under another umask, in another time zone and directory than the next one. */
function make(name: string, umask: string, zone: string): Made {
  const script = `umask ${umask}; exec "$0" "${project}/tools/bundle.mjs" --out "$1"`;
  const env = { ...process.env, TZ: zone };
  const args = ["-c", script, process.execPath, join(work, name)];
  return JSON.parse(execFileSync("bash", args, { env, cwd: work, encoding: "utf8" })) as Made;
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "tutti-bundle-test-"));
  made = make("one", "022", "UTC");
}, 180_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("the agent bundle", () => {
  it("has version, architecture and checksum in its name, and says what it is", () => {
    const bytes = readFileSync(made.path);
    expect(made).toMatchObject({ architecture: process.arch, size: bytes.length });
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(made.sha256);
    const { version } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { version: string };
    expect(basename(made.path)).toBe(`tutti-agent-${version}-${process.arch}-${made.sha256.slice(0, 12)}.tar.gz`);
  });

  it("is made of the same bytes the next time, by whomever", () => {
    const other = make("two", "077", "Asia/Tokyo");
    expect(other.sha256).toBe(made.sha256);
    expect(basename(other.path)).toBe(basename(made.path));
  }, 180_000);

  it("has every file that the agent reads beside itself", () => {
    const tree = join(work, "tree");
    mkdirSync(tree);
    execFileSync("tar", ["--extract", "--gzip", "--file", made.path, "--directory", tree]);
    const code = readFileSync(join(tree, "agent/main.mjs"), "utf8");
    const beside = [...code.matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)].map(([, path = ""]) => path);
    expect(beside).toContain("../package.json");
    expect(beside.filter((path) => !existsSync(join(tree, "agent", path)))).toEqual([]);
    expect(statSync(join(tree, "bin/nats-server")).mode & 0o777).toBe(0o755);
  });
});

describe("a machine that is born with the real bundle", () => {
  let here: Machine;
  beforeAll(async () => {
    here = await machine(readFileSync(made.path));
  });
  afterAll(() => here.gone());

  it("has a core that is ready when the boot is done", async () => {
    const birth = birthWith(["core"], { cores: [] });
    here.born({ ...birth, node: { ...birth.node, ports: { ...birth.node.ports, nats: 0 } } });
    const ran = await here.boot({ TUTTI_READY: "60" });
    const last = here.journal().at(-1);
    expect(last?.lines).toEqual(["ready: core"]);
    expect(ran.code).toBe(0);
    const status = JSON.parse(readFileSync(here.path("var/lib/tutti/node/status.json"), "utf8")) as object;
    expect(status).toMatchObject({ components: [{ name: "core", state: "ready" }] });
  }, 120_000);
});
