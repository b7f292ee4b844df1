import { describe, expect, it } from "vitest";
import { type BootStep, readJournal, readResult } from "../../cloudinit/journal.ts";

const step = (name: string, more: Partial<BootStep> = {}): BootStep => ({
  ...{ boot: "b1", name, input: "0123456789abcdef", exit: 0, ms: 12, at: "2026-11-23T16:00:00Z", lines: ["ok"] },
  ...more,
});
const line = (one: object) => `tutti-boot: ${JSON.stringify(one)}`;
const result = { boot: "b1", state: "done", step: "ready", exit: 0, at: "2026-11-23T16:01:00Z" };

describe("the journal of a boot", () => {
  it("is read from the file", () => {
    const steps = [step("units"), step("packages", { exit: 100, lines: ['E: "lock"', "gave up"] })];
    expect(readJournal(steps.map((one) => `${JSON.stringify(one)}\n`).join(""))).toEqual(steps);
  });

  it("is read from a console on which the kernel, systemd and cloud-init speak too", () => {
    const text = [
      "[    0.000000] Linux version 6.1.0 (debian-kernel@lists.debian.org)",
      `[   14.2] cloud-init[512]: ${line(step("units"))}\r`,
      "-----BEGIN SSH HOST KEY KEYS-----",
      '{"not": "ours"}',
      `\u001b[32m${line(step("packages"))}\u001b[0m`,
      `${line(step("facts"))} [  OK  ] Reached target`,
    ].join("\r\n");
    expect(readJournal(text).map(({ name }) => name)).toEqual(["units", "packages", "facts"]);
  });

  it("passes over lines that are torn or shown twice", () => {
    const whole = line(step("units"));
    const text = [whole.slice(20), whole, whole, line(step("facts")).slice(0, 60)].join("\n");
    expect(readJournal(text)).toEqual([step("units")]);
  });

  it("keeps the steps of each boot apart", () => {
    const text = [line(step("units")), line(step("units", { boot: "b2" }))].join("\n");
    expect(readJournal(text).map(({ boot }) => boot)).toEqual(["b1", "b2"]);
  });

  it("is empty when a machine has said nothing yet", () => {
    expect(readJournal("")).toEqual([]);
    expect(readResult("")).toBeUndefined();
  });
});

describe("the result of a boot", () => {
  it("is the newest one, from the console and from the file", () => {
    const failed = { ...result, state: "failed", step: "bundle", exit: 22 };
    expect(
      readResult(`tutti-boot-result: ${JSON.stringify(failed)}\ntutti-boot-result: ${JSON.stringify(result)}`),
    ).toEqual(result);
    expect(readResult(`${JSON.stringify(failed)}\n`)).toEqual(failed);
  });

  it("is not there while the boot runs", () => {
    expect(readResult(JSON.stringify({ ...result, state: "running" }))).toBeUndefined();
  });
});
