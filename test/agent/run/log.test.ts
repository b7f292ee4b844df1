import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const module = new URL("../../../agent/run/log.ts", import.meta.url).pathname;

async function logged(script: string): Promise<Record<string, unknown>[]> {
  const code = `import { jsonLog } from "${module}"; ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("a log", () => {
  test("writes one JSON object a line, with the fields of its ancestors", async () => {
    const lines = await logged(`const log = jsonLog().child({ node: "a" });
      log.child({ component: "dea" }).warn({ free: 3 }, "little room");
      log.debug({}, "not shown");`);
    expect(lines).toMatchObject([{ node: "a", component: "dea", free: 3, msg: "little room" }]);
  });

  test("shows no secret, at the top or deeper", async () => {
    const lines = await logged(`jsonLog("debug").info({
      password: "s3cret", seed: "s3cret", start: { env: ["A=s3cret"], executableUri: "http://s3cret" },
      services: { db: { credentials: { user: "s3cret" } } } }, "starting");`);
    expect(JSON.stringify(lines)).not.toContain("s3cret");
    expect(lines).toMatchObject([{ msg: "starting", password: "[redacted]" }]);
  });
});
