import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, unpack } from "../../support/droplet.ts";
import { commandLines, examples, type Files, failure, openShop, type Shop, works } from "../../support/stager.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const server = (body: string) =>
  `require("node:http").createServer((q, r) => r.end(String(${body}))).listen(process.env.PORT);`;

const dependency = { "is-number": "7.0.0" };
const withNpm: Files = {
  "package.json": JSON.stringify({ name: "a", version: "1.0.0", dependencies: dependency, main: "server.js" }),
  "server.js": server('require("is-number")(5)'),
};
const locked: Files = {
  ...withNpm,
  "package-lock.json": JSON.stringify({
    name: "a",
    version: "1.0.0",
    lockfileVersion: 3,
    packages: {
      "": { name: "a", version: "1.0.0", dependencies: dependency },
      "node_modules/is-number": {
        version: "7.0.0",
        resolved: "https://registry.npmjs.org/is-number/-/is-number-7.0.0.tgz",
        integrity: "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==",
      },
    },
  }),
};

/** An app whose build is this program. */
const building = (program: string): Files => ({
  "package.json": JSON.stringify({ scripts: { postinstall: "node build.js", start: "node server.js" } }),
  "build.js": program,
  "server.js": server("1"),
});

// A fresh machine may have no pip; then there is nothing to try it with.
const pip = test.skipIf(!works("python3", ["-m", "pip", "--version"]));

describe("real package managers", () => {
  test("npm ci installs what the lock file says, and the app runs with it", async () => {
    const request = await shop.order(locked);
    const result = await shop.stage(request);
    expect(result.task_log).toContain("$ npm ci --omit=dev");
    expect(result.task_log).toMatch(/added 1 package/);
    expect(result).toMatchObject({ detected_start_command: "node server.js" });
    const droplet = await unpack(shop.droplet(request));
    expect(await answerOf(droplet)).toBe("true");
    await droplet.remove();
  });

  test("npm install does it without a lock file", async () => {
    const request = await shop.order(withNpm);
    const result = await shop.stage(request);
    expect(result.task_log).toContain("$ npm install --omit=dev");
    const droplet = await unpack(shop.droplet(request));
    expect(droplet.names).toContain("./app/node_modules/is-number/package.json");
    await droplet.remove();
  });

  pip("pip installs the requirements of the python example, and it runs where it is unpacked", async () => {
    const request = await shop.order(join(examples, "python"));
    const result = await shop.stage(request);
    expect(result).toMatchObject({ detected_buildpack: "python", detected_start_command: "python3 app.py" });
    const droplet = await unpack(shop.droplet(request));
    expect(await answerOf(droplet)).toContain("hello from instance 0");
    expect(await readFile(join(droplet.root, "python/bin/cowsay"), "utf8")).toMatch(/^#!\/usr\/bin\/env python3\n/);
    await droplet.remove();
  });

  pip("pip builds a project that has only a pyproject.toml, and its script is on the PATH", async () => {
    const request = await shop.order({
      "pyproject.toml": `[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1.0"

[project.scripts]
tiny-web = "tiny:main"
`,
      // A build backend of one file, so that the test needs no other.
      "backend.py": `import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.write("tiny.py")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.0.dist-info/entry_points.txt", "[console_scripts]\\ntiny-web = tiny:main\\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return name
`,
      "tiny.py": `import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"tiny")
def main():
    http.server.HTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
`,
    });
    const result = await shop.stage(request);
    expect(result).toMatchObject({ detected_start_command: "tiny-web" });
    const droplet = await unpack(shop.droplet(request));
    expect(await answerOf(droplet)).toBe("tiny");
    await droplet.remove();
  });
});

describe("a build that fails", () => {
  test("a dependency that does not exist: npm's last lines are in the error", async () => {
    const pkg = { dependencies: { "is-number": "999.0.0" }, scripts: { start: "node server.js" } };
    const result = await shop.stage(await shop.order({ "package.json": JSON.stringify(pkg) }));
    const { class: kind, details } = failure(result);
    expect(kind).toBe("VCAP::Stager::StagingPluginError");
    expect(details).toContain("npm install --omit=dev --no-audit --no-fund ended with code 1");
    expect(details).toContain("The last lines of the output:");
    expect(details).toContain("No matching version found for is-number@999.0.0");
    expect(result.task_log).toContain("Staging failed: npm install");
  });

  test("a build script that fails: its lines are told, errors marked as such", async () => {
    const request = await shop.order(
      building('console.log("step one"); console.error("no compiler"); process.exit(4)'),
    );
    const { details } = failure(await shop.stage(request));
    expect(details).toContain("no compiler");
    const lines = shop.logs.filter((one) => one.app === request.app_id).flatMap((one) => one.lines);
    expect(lines.find((line) => line.text.includes("no compiler"))?.err).toBe(true);
  });

  test("a machine without pip: says what to install", async () => {
    const own = await openShop({ path: join(shop.home, "fake") });
    await mkdir(join(shop.home, "fake"));
    const fake = '#!/bin/sh\necho "/usr/bin/python3: No module named pip" >&2\nexit 1\n';
    await writeFile(join(shop.home, "fake/python3"), fake, { mode: 0o755 });
    const { details } = failure(await own.stage(await own.order(join(examples, "python"))));
    expect(details).toContain("install python3-pip on the nodes with the role stager");
    expect(details).toContain("No module named pip");
    await rm(join(shop.home, "fake"), { recursive: true });
    await own.close();
  });

  test("a package.json that is no JSON", async () => {
    const { details } = failure(await shop.stage(await shop.order({ "package.json": "{" })));
    expect(details).toMatch(/^package.json cannot be read: /);
  });

  test("a build that prints much more than anybody reads: log and answer stay small", async () => {
    const request = await shop.order(
      building('const s = "x".repeat(99) + "\\n"; process.stdout.write(s.repeat(300000)); process.exitCode = 1'),
    );
    const result = await shop.stage(request);
    expect(result.task_log.length).toBeLessThan(80_000);
    const mine = shop.logs.filter((one) => one.app === request.app_id);
    expect(JSON.stringify(mine).length).toBeLessThan(16e6);
    expect(Math.max(...mine.map((one) => JSON.stringify(one).length))).toBeLessThan(1e6);
    expect(mine.at(-1)?.lines.at(-1)?.text).toContain("too much output");
  });
});

describe("what a build may see and leave", () => {
  test("the user's variables reach it, the agent's own do not", async () => {
    process.env["AGENT_SECRET"] = "of the agent";
    const program = `for (const n of ["AGENT_SECRET", "MINE", "HOME", "CI", "npm_config_local_prefix"])
      console.log(n + "=" + process.env[n])`;
    const request = await shop.order({ ...building(program) }, { environment: ["MINE=a=b", "HOME=/etc"] });
    request.properties.environment.push("npm_config_foreground_scripts=true");
    const { task_log: log } = await shop.stage(request);
    expect(log).toContain("AGENT_SECRET=undefined");
    expect(log).toContain("MINE=a=b");
    expect(log).toContain("CI=true");
    expect(log).toMatch(new RegExp(`HOME=${shop.home}/work/[0-9a-f]{32}/home`));
  });

  test("what it starts in the background is ended, also outside of its process group", async () => {
    const program = `for (const detached of [true, false]) {
      require("child_process").spawn("sleep", ["4711"], { detached, stdio: "inherit" }).unref(); }`;
    const result = await shop.stage(await shop.order(building(program)));
    expect(result.error).toBeUndefined();
    expect(await commandLines()).not.toContain("sleep 4711");
  });

  test("links it plants where the stager writes lead nowhere", async () => {
    const program = `const fs = require("fs");
      fs.symlinkSync("${shop.home}/stolen", "../startup");
      fs.rmSync("../logs", { recursive: true }); fs.symlinkSync("${shop.home}", "../support");`;
    const request = await shop.order({ ...building(program), "index.html": "" });
    expect((await shop.stage(request)).error).toBeUndefined();
    expect(await readdir(shop.home)).toEqual(["cache", "jobs", "work"]);
    const droplet = await unpack(shop.droplet(request));
    expect(await readFile(join(droplet.root, "startup"), "utf8")).toMatch(/^#!\/bin\/sh/);
    await droplet.remove();
  });
});
