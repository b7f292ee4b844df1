import { describe, expect, test } from "vitest";
import type { Process } from "../../../agent/controller/records.ts";
import { asRunning, changedLater } from "../../../agent/controller/running.ts";

const at = "2026-01-01T00:00:00.000Z";
const process: Process = {
  ...{ guid: "p", created_at: at, updated_at: at, app: "a", type: "web", version: "one" },
  ...{ instances: 1, memory_in_mb: 256, disk_in_mb: 1024, command: "old" },
  ...{ health_check: { type: "port" as const }, metadata: { labels: {}, annotations: {} } },
};

describe("a change of a process", () => {
  test("is written down and leaves its instances what they have, however often it is changed", () => {
    const changed = changedLater(changedLater(process, { memory_in_mb: 512 }), { command: undefined });
    expect([changed.memory_in_mb, changed.command]).toEqual([512, undefined]);
    expect(asRunning(changed)).toMatchObject({ memory_in_mb: 256, command: "old", version: "one" });
  });

  test("that gives a command where there was none leaves them without", () => {
    expect(asRunning(changedLater({ ...process, command: undefined }, { command: "new" })).command).toBeUndefined();
  });

  test("of the number of instances counts at once", () => {
    expect(asRunning(changedLater(process, { instances: 5 })).instances).toBe(5);
  });

  test("counts from the next version on", () => {
    const renewed = { ...changedLater(process, { memory_in_mb: 512, command: "new" }), version: "two" };
    expect(asRunning(renewed)).toMatchObject({ memory_in_mb: 512, command: "new" });
    expect(asRunning(changedLater(renewed, { memory_in_mb: 64 })).memory_in_mb).toBe(512);
  });

  test("of one that never was changed changes nothing", () => {
    expect(asRunning(process)).toBe(process);
  });
});
