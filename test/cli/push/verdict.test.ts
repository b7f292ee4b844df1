import { describe, expect, test } from "vitest";
import { homeless, look, nothingSeen, verdict } from "../../../cli/push/verdict.ts";
import type { Instance } from "../../../cli/resources.ts";

const instance = (state: Instance["state"], details?: string): Instance => ({ type: "web", index: 0, state, details });
const soon = { elapsed: 500, timeout: 60_000 };

describe("whether a start will end well", () => {
  test("one running instance is enough", () => {
    expect(verdict([instance("CRASHED"), instance("RUNNING")], soon)).toEqual({ kind: "up" });
  });

  test("when all have crashed it has failed, with the reason of the first that tells one", () => {
    expect(verdict([instance("CRASHED"), instance("CRASHED", "exit status 1")], soon)).toEqual({
      kind: "failed",
      code: "start_crashed",
      why: "the app crashed: exit status 1",
    });
  });

  test("while one still starts it is waited for", () => {
    expect(verdict([instance("CRASHED", "x"), instance("STARTING")], soon).kind).toBe("waiting");
    expect(verdict([], soon)).toEqual({ kind: "waiting", why: "waiting for an instance" });
  });

  test("without room it is waited a little, then said", () => {
    const down = [instance("DOWN", "no DEA has 256 MiB free")];
    expect(homeless(down)).toBe(true);
    expect(verdict(down, { ...soon, homelessFor: 9_000 })).toEqual({
      kind: "waiting",
      why: "waiting for a DEA (no DEA has 256 MiB free)",
    });
    expect(verdict(down, { ...soon, homelessFor: 10_000 })).toMatchObject({
      code: "no_room",
      why: "no place for the app: no DEA has 256 MiB free",
    });
    expect(homeless([instance("DOWN")])).toBe(false);
    expect(homeless([...down, instance("STARTING")])).toBe(false);
  });

  test("an app that never listens gets its own time and a minute for placement", () => {
    const starting = [instance("STARTING")];
    expect(verdict(starting, { elapsed: 119_000, timeout: 60_000 }).kind).toBe("waiting");
    expect(verdict(starting, { elapsed: 121_000, timeout: 60_000 })).toMatchObject({ code: "start_timeout" });
  });

  test("a crash that no look has caught is told by the instance that took the place", () => {
    const one = { ...instance("STARTING"), instance_guid: "a" };
    const other = { ...instance("STARTING"), instance_guid: "b" };
    const first = look(nothingSeen, [one]);
    expect(verdict([one], { ...soon, died: first.died }).kind).toBe("waiting");
    const second = look(look(first, [instance("DOWN")]), [other]);
    expect(verdict([other], { ...soon, died: second.died })).toMatchObject({ kind: "failed", code: "start_crashed" });
    expect(verdict([{ ...other, state: "RUNNING" }], { ...soon, died: second.died }).kind).toBe("up");
  });
});
