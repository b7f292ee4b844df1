import { expect, it } from "vitest";
import { lastWords } from "../../../cli/solo/lastWords.ts";

const line = (level: number, more: object) => JSON.stringify({ level, time: "2026-01-01T00:00:00Z", ...more });

it("what went wrong is one line an entry, without what is routine", () => {
  const log = [
    line(30, { component: "dea", msg: "start a component" }),
    line(40, { component: "health", reason: "no controller", msg: "nothing is decided for now" }),
    line(50, {
      component: "core",
      error: "Fault: no nats-server\n    at start (core.ts:1:1)",
      msg: "a component ended",
    }),
  ].join("\n");
  expect(lastWords(log)).toEqual([
    "health: nothing is decided for now (no controller)",
    "core: a component ended (Fault: no nats-server)",
  ]);
});

it("of a stack trace only the words are left", () => {
  const log =
    "file:///x.ts:3\nthrow new Error()\n      ^\n\nError: node.json is not there\n    at main (x.ts:3:1)\n\nNode.js v24.1.0\n";
  expect(lastWords(log).at(-1)).toBe("Error: node.json is not there");
});

it("only the last are told, and a line that is broken off stands as it is", () => {
  expect(lastWords(["a", "b", "c", '{"level":50,"msg":"half'].join("\n"), 2)).toEqual(["c", '{"level":50,"msg":"half']);
});
