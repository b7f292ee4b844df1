import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { inTurn } from "../../../cli/solo/turn.ts";

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tutti-turn-"));
  file = join(home, "starting.pid");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it("two who come at once are served one after the other", async () => {
  const seen: string[] = [];
  const visit = (name: string) =>
    inTurn(file, async () => {
      seen.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} out`);
    });
  await Promise.all([visit("a"), visit("b")]);
  expect(seen).toEqual(["a in", "a out", "b in", "b out"]);
  expect(existsSync(file)).toBe(false);
});

it("whoever was killed in the middle is not waited for", async () => {
  writeFileSync(file, "4194304999");
  expect(await inTurn(file, async () => "mine")).toBe("mine");
});

it("somebody who does not finish is named", async () => {
  writeFileSync(file, String(process.pid));
  await expect(inTurn(file, async () => {}, 10)).rejects.toMatchObject({
    code: "being_started",
    message: expect.stringContaining(String(process.pid)),
  });
});

it("a failure gives the turn to the next", async () => {
  await expect(inTurn(file, () => Promise.reject(new Error("port in use")))).rejects.toThrow("port in use");
  expect(await inTurn(file, async () => "next")).toBe("next");
});
