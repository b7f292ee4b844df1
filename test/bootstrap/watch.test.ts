import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { settle, watch } from "../../bootstrap/commands.ts";
import { judge } from "../../bootstrap/judge.ts";
import { type Picture, pictures } from "../../bootstrap/picture.ts";
import { checker } from "../support/checkers.ts";
import { nodeJson } from "../support/firstContact.ts";
import { run } from "../support/solo.ts";
import { until } from "../support/until.ts";

let root: string;
const ends: (() => unknown)[] = [];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "tutti-watch-"));
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const home = () => join(root, "var/lib/tutti/node");

function write(path: string, content: string | object): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : `${JSON.stringify(content)}\n`);
}

/** A picture as `watch.sh` draws it of what is below `root`. */
function look(shell = "sh"): Picture {
  const { command } = watch({ within: 1, once: true });
  const out = execFileSync(shell, ["-c", command], { env: { ...process.env, TUTTI_ROOT: root }, encoding: "utf8" });
  const seen: Picture[] = [];
  pictures((picture) => seen.push(picture))(out);
  return seen.at(-1) as Picture;
}

function agent(): number {
  const child = spawn("sh", ["-c", "read _", "agent/main.mjs"], { stdio: ["pipe", "ignore", "ignore"] });
  ends.push(() => child.kill());
  return child.pid ?? 0;
}

const node = () => nodeJson({ id: "lead-0", roles: ["core", "controller"], home: home(), controller: 9 });
const boot = "var/lib/tutti/boot";
const step = (name: string, exit = 0, lines: string[] = []) =>
  `${JSON.stringify({ boot: "b1", name, input: "x", exit, ms: 1, at: "2026-01-01T00:00:00Z", lines })}\n`;
const result = (state: string, name = "entry", exit = 0) => ({
  boot: "b1",
  state,
  step: name,
  exit,
  at: "2026-01-01T00:00:00Z",
});

describe("what is seen of a machine", () => {
  it("that is no node and will not become one", () => {
    expect(judge(look())).toMatchObject({ state: "failed", why: expect.stringContaining("no node") });
  });

  it("on which cloud-init is at work, until it has written its result", () => {
    mkdirSync(join(root, "run/cloud-init"), { recursive: true });
    expect(judge(look())).toMatchObject({ state: "waiting", why: "cloud-init is at work" });
    write("run/cloud-init/result.json", {});
    expect(judge(look()).state).toBe("failed");
  });

  it("whose boot script has been written and has not begun", () => {
    write("usr/local/lib/tutti/boot", "#!/bin/bash\n");
    expect(judge(look())).toMatchObject({ state: "waiting", why: "the boot script has not begun" });
  });

  it("in the middle of its boot, with the step that runs and how many are done", () => {
    write(`${boot}/result.json`, result("running"));
    write(
      `${boot}/journal.jsonl`,
      step("old").replace("b1", "b0") + step("units") + step("packages", 0, ["all there"]),
    );
    for (const [at, name] of ["units", "packages", "bundle"].entries()) {
      write(`${boot}/${name}.log`, "");
      execFileSync("touch", ["-d", `2026-01-01 00:00:0${at}`, join(root, boot, `${name}.log`)]);
    }
    expect(judge(look())).toEqual({ state: "waiting", why: "boot step bundle runs (2 done)", lines: ["all there"] });
  });

  it("whose boot has failed, with that step's own lines", () => {
    write(`${boot}/result.json`, result("failed", "bundle", 7));
    write(`${boot}/journal.jsonl`, step("units") + step("bundle", 7, ["no source has the agent", 'a "word"']));
    expect(judge(look())).toEqual({
      state: "failed",
      why: "boot step bundle failed with exit code 7",
      lines: ["no source has the agent", 'a "word"'],
    });
  });

  it("whose agent is starting, and why it is not through", () => {
    write("etc/tutti/node.json", node());
    const components = [
      { name: "core", state: "ready" },
      { name: "router", state: "failing", reason: 'port 80 is in use by "nginx"' },
      { name: "dea", state: "starting" },
    ];
    write("var/lib/tutti/node/status.json", { pid: agent(), components });
    expect(judge(look()).why).toBe('agent starting: router (port 80 is in use by "nginx"), dea starting');
    write("var/lib/tutti/node/status.json", { pid: agent(), components: [] });
    expect(judge(look()).why).toBe("agent starting: nothing said yet");
  });

  it("whose agent has gone and left a status behind that says ready", () => {
    write("etc/tutti/node.json", node());
    write("var/lib/tutti/node/status.json", { pid: 999_999, components: [{ name: "core", state: "ready" }] });
    expect(judge(look())).toMatchObject({ state: "waiting", why: "the agent does not run" });
  });

  it.each([["sh"], ["bash"]])("that is ready, with all that first contact has to know (%s)", (shell) => {
    write("etc/tutti/node.json", `${JSON.stringify(node(), undefined, 2)}\n`);
    write(
      "var/lib/tutti/node/status.json",
      JSON.stringify({ pid: agent(), components: [{ name: "core", state: "ready" }] }),
    );
    write("var/lib/tutti/node/identity/authority.json", "{}");
    write("etc/shadow", "root:*:1::::::\nstackato:$6$salt$hash:1::::::\nadmin:$6$salt$hash:1::::::\n");
    const picture = look(shell);
    expect(judge(picture).state).toBe("ready");
    expect(picture).toMatchObject({ hasAuthority: true, passwords: ["stackato"], agentLives: true });
    expect(picture.node).toMatchObject({
      id: "lead-0",
      domain: "tutti.test",
      home: home(),
      roles: ["core", "controller"],
    });
    expect(JSON.parse(picture.nodeText)).toEqual(JSON.parse(JSON.stringify(node())));
  });

  it.each([["!"], ["*"], ["!$6$x$y"], [""]])("whose user has no password to log in with (%s)", (hash) => {
    write("etc/shadow", `stackato:${hash}:1::::::\n`);
    expect(look().passwords).toEqual([]);
  });

  it("says ready in a reason without being so", () => {
    write("etc/tutti/node.json", node());
    const reason = 'waits for {"state":"ready"} and "ready"';
    write("var/lib/tutti/node/status.json", {
      pid: agent(),
      components: [{ name: "core", state: "starting", reason }],
    });
    expect(judge(look()).state).toBe("waiting");
  });
});

describe("watching", () => {
  /** Watches as it is done over ssh: told of every picture. */
  function watching(within: number) {
    const seen: Picture[] = [];
    const { command } = watch({ within });
    const child = spawn("sh", ["-c", command], {
      env: { ...process.env, TUTTI_ROOT: root },
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.setEncoding("utf8").on(
      "data",
      pictures((picture) => seen.push(picture)),
    );
    ends.push(() => child.kill());
    const code = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { seen, code, child };
  }

  it("tells each change once, and ends when the node is ready", async () => {
    const { seen, code } = watching(30);
    await until(() => seen.length === 1, { what: "it has looked" });
    write("etc/tutti/node.json", node());
    await until(() => seen.length === 2, { what: "the node was seen" });
    write("var/lib/tutti/node/status.json", { pid: agent(), components: [{ name: "core", state: "ready" }] });
    expect(await code).toBe(0);
    expect(seen.map((picture) => judge(picture).state)).toEqual(["failed", "waiting", "ready"]);
  });

  it("ends at once when the boot has failed", async () => {
    write(`${boot}/result.json`, result("failed", "facts", 1));
    const { seen, code } = watching(30);
    expect(await code).toBe(1);
    expect(judge(seen.at(-1) as Picture).why).toContain("boot step facts failed");
  });

  it("gives up by itself when the time is up, with the agent's last words", async () => {
    const bin = join(root, "bin");
    write("bin/journalctl", '#!/bin/sh\necho "core: no authority yet"\n');
    execFileSync("chmod", ["+x", join(bin, "journalctl")]);
    write("etc/tutti/node.json", node());
    process.env["PATH"] = `${bin}:${process.env["PATH"]}`;
    ends.push(() => {
      process.env["PATH"] = process.env["PATH"]?.replace(`${bin}:`, "");
    });
    const { seen, code } = watching(1);
    expect(await code).toBe(75);
    expect(seen.at(-1)).toMatchObject({ log: ["core: no authority yet"], node: { id: "lead-0" } });
    expect(judge(seen.at(-1) as Picture).lines).toEqual(["core: no authority yet"]);
  });

  it("ends when nobody listens any more", async () => {
    const { child, code, seen } = watching(600);
    await until(() => seen.length === 1, { what: "it has looked" });
    child.stdout.destroy();
    expect(await code).not.toBe(0);
  });

  it("is told by text that comes in any pieces", () => {
    write("etc/tutti/node.json", node());
    const { command } = watch({ within: 1, once: true });
    const out = execFileSync("sh", ["-c", command], { env: { ...process.env, TUTTI_ROOT: root }, encoding: "utf8" });
    for (const size of [1, 3, 7, 1000]) {
      const seen: Picture[] = [];
      const take = pictures((picture) => seen.push(picture));
      for (let at = 0; at < out.length; at += size) take(out.slice(at, at + size));
      expect(seen.map((picture) => picture.node?.id)).toEqual(["lead-0"]);
    }
  });
});

describe("the scripts", () => {
  const file = (name: string) => fileURLToPath(new URL(`../../bootstrap/${name}`, import.meta.url));

  it("have nothing that shellcheck minds, in the shell of every Debian", async () => {
    const { code, out } = await run(checker("shellcheck"), ["-s", "dash", file("watch.sh"), file("settle.sh")]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
  });

  it("come through any login shell unharmed", () => {
    write("etc/tutti/node.json", node());
    for (const shell of ["sh", "bash"]) expect(look(shell).node?.id).toBe("lead-0");
  });

  it("carry nothing secret in their command lines: that is on standard input", () => {
    const order = {
      home: "/it's here",
      authority: "s3cret",
      node: "s3cret too",
      passwords: [{ user: "stackato", password: "s3cret three" }],
    };
    const { command, stdin } = settle(order) ?? { command: "", stdin: "" };
    for (const secret of ["s3cret", "s3cret too", "stackato:s3cret three"]) {
      const encoded = Buffer.from(secret).toString("base64");
      expect(command).not.toContain(secret);
      expect(command).not.toContain(encoded);
      expect(stdin).toContain(`${encoded}\n`);
    }
    expect(settle({ home: "/x" })).toBeUndefined();
  });
});
