import { describe, expect, it } from "vitest";
import { failedOnConsole } from "../../bootstrap/consoleBoot.ts";

const step = (boot: string, name: string, exit: number) =>
  `[   12.3] cloud-init[190]: tutti-boot: ${JSON.stringify({ boot, name, exit, lines: [`${name} said so`] })}\u001b[0m`;
const result = (boot: string, state: string, name: string) =>
  `cloud-init[190]: tutti-boot-result: ${JSON.stringify({ boot, state, step: name, exit: state === "failed" ? 1 : 0 })}\r`;
const told = (...lines: string[]) => failedOnConsole(["Debian GNU/Linux 12", ...lines, ""].join("\n"));

describe("the console of a machine that cannot be reached", () => {
  it("tells which step of its boot failed, in that step's words", () => {
    expect(told(step("a", "units", 0), step("a", "bundle", 1), result("a", "failed", "bundle"))).toEqual({
      why: "boot step bundle failed with exit code 1",
      lines: ["bundle said so"],
    });
  });

  it("tells of no failure while a later boot is under way, or when that went well", () => {
    const failed = [step("a", "bundle", 1), result("a", "failed", "bundle")];
    expect(told(...failed, result("b", "running", "entry"))).toBeUndefined();
    expect(told(...failed, step("b", "bundle", 0), result("b", "done", "ready"))).toBeUndefined();
  });

  it("tells nothing when it has nothing, or what it has is torn", () => {
    expect(told()).toBeUndefined();
    expect(told('tutti-boot-result: {"boot":"a","state":"fai')).toBeUndefined();
  });
});
