import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Hands, Life } from "../../rehearsal/ground/life.ts";
import type { Wanted } from "../../rehearsal/ground/step.ts";
import { type FakeMachine, type FakeWays, fakeMachine } from "../support/fakeMachine.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tutti-life-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A life of its own, without network and API. */
function born(ways: FakeWays = {}, more: Partial<Hands> = {}) {
  const told: string[] = [];
  const plan = { id: "i-1", mac: "", memory: 1, disk: 1, netns: "", image: "" };
  const machine: FakeMachine = fakeMachine({ ...plan, folder: mkdtempSync(join(folder, "m-")) }, ways);
  const hands: Hands = {
    prepare: async () => machine,
    unplug: async () => void told.push("unplugged"),
    switchedOff: async () => void told.push("API told"),
    tell: (kind) => void told.push(kind),
    ...more,
  };
  const life = new Life(hands, 5);
  const want = (wanted: Wanted, reboot = "", began = performance.now()) => life.want({ wanted, reboot, began });
  const tells = (kind: string, nth = 1) =>
    until(() => told.filter((one) => one === kind).length >= nth, { what: `${kind} was told; told was ${told}` });
  return { life, machine, told, want, tells };
}

describe("the life of a machine", () => {
  it("does nothing for an instance that is stopped and never ran", async () => {
    const { life, told, want } = born();
    want("off");
    want("gone");
    expect({ told, over: life.over }).toEqual({ told: [], over: true });
  });

  it("follows the API when that changes its mind in the middle", async () => {
    const { told, want, tells } = born({ slow: 100 });
    want("on");
    want("off");
    want("on");
    await tells("running");
    want("off");
    want("on");
    await tells("running", 2);
    expect(told).toEqual(["booting", "running", "stopping", "unplugged", "stopped", "booting", "running"]);
  });

  it("does not believe a look that began before the API knew that the machine is off", async () => {
    const { machine, told, want, tells } = born();
    want("on");
    await tells("running");
    const early = performance.now();
    machine.happens("off");
    await tells("API told");
    want("on", "", early);
    expect(told.slice(2)).toEqual(["off by itself", "unplugged", "API told"]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    want("on");
    await tells("running", 2);
  });

  it("gives up after five boots that failed in a row, until the API wants something else", async () => {
    const { life, machine, want, tells } = born({ broken: 5 });
    want("on");
    await tells("failed", 5);
    await until(() => !life.busy, { what: "it gave up" });
    want("on");
    expect({ boots: machine.boots, busy: life.busy }).toEqual({ boots: 5, busy: false });
    want("off");
    want("on");
    await tells("running");
  });

  it("tries a removal again that fails, with pauses", async () => {
    let fails = 2;
    const unplug = async () => {
      if (fails-- > 0) throw new Error("busy");
    };
    const { life, told, want, tells } = born({}, { unplug });
    want("on");
    await tells("running");
    want("gone");
    await tells("gone");
    expect(told.filter((kind) => kind === "failed")).toHaveLength(2);
    expect(life.over).toBe(true);
  });

  it("does not count a boot that was cut off by the instance's end for a failure", async () => {
    const { told, want, tells } = born({ slow: 10_000 });
    want("on");
    await tells("booting");
    want("gone");
    await tells("gone");
    expect(told).toEqual(["booting", "unplugged", "gone"]);
  });

  it("ends whatever the API says", async () => {
    const { life, machine, want, tells } = born();
    want("on");
    await tells("running");
    await life.end();
    expect({ over: life.over, state: machine.state }).toEqual({ over: true, state: "off" });
  });
});
