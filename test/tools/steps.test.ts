import { expect, it } from "vitest";
import { tool } from "../support/setup.ts";

interface Step {
  name: string;
  done: () => string | undefined;
  act?: () => string;
}
const { atLeast, runSteps } = await tool<{
  atLeast: (a: string, b: string) => boolean;
  runSteps: (
    steps: Step[],
    print: (line: string, there: boolean) => void,
    begin?: (n: string) => void,
  ) => Promise<void>;
}>("steps.mjs");

it.each([
  ["2.10.23", "2.10.23", true],
  ["2.9.30", "2.10.0", false],
  ["2.15.1", "2.10.23", true],
  ["3", "2.10.23", true],
  ["24.0.0-rc1", "24.0.0", true],
  ["2.10", "2.10.1", false],
])("version %s is enough where %s is wanted: %s", (found, wanted, enough) => {
  expect(atLeast(found, wanted)).toBe(enough);
});

it("what is there is named and skipped, what is missing is done, each on a line of its own", async () => {
  const lines: [string, boolean][] = [];
  const begun: string[] = [];
  const steps = [
    { name: "Node", done: () => "24.1.0", act: () => "never" },
    { name: "haproxy", done: () => undefined, act: () => "fetched" },
  ];
  await runSteps(
    steps,
    (line, there) => lines.push([line, there]),
    (name) => begun.push(name),
  );
  expect(lines.map(([line]) => line)).toEqual([
    "✓ Node           24.1.0",
    expect.stringMatching(/^\+ haproxy {8}fetched \(\d+\.\d s\)$/),
  ]);
  expect(lines.map(([, there]) => there)).toEqual([true, false]);
  expect(begun).toEqual(["haproxy"]);
});

it("a step that fails ends the run: what comes after it may need it", async () => {
  const lines: string[] = [];
  const failing = {
    name: "first",
    done: () => undefined,
    act: () => {
      throw new Error("no network");
    },
  };
  const steps = [failing, { name: "second", done: () => "there" }];
  await expect(runSteps(steps, (line) => lines.push(line))).rejects.toThrow("no network");
  expect(lines).toEqual([]);
});
