import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { start } from "../../../agent/run/runner.ts";
import { isThere } from "../../../rehearsal/room/ending.ts";
import { type RoomRunnerOptions, roomRunner } from "../../../rehearsal/room/runner.ts";
import { noMachines } from "../../support/machines.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-room-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const room = (script: string, more: Partial<RoomRunnerOptions> = {}) =>
  start(roomRunner({ command: "sh", args: ["-c", script], folder, stdio: "ignore", ...more }));

describe.skipIf(noMachines)("a room as a runner", () => {
  it("is there when it is ready, and gone when it has stopped", async () => {
    const pids: number[] = [];
    const running = room("exec sleep 1000", { onRoom: ({ pid }) => void pids.push(pid) });
    await running.ready;
    expect(pids.filter(isThere)).toHaveLength(1);
    await running.stop();
    expect(pids.filter(isThere)).toEqual([]);
    await running.exited;
  });

  it("ends with its command: well, or with the code", async () => {
    await expect(room("exit 0").exited).resolves.toBeUndefined();
    await expect(room("exit 4").exited).rejects.toMatchObject({
      code: "room_ended",
      message: expect.stringContaining("code 4"),
    });
  });
});
