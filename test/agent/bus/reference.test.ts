import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { reference } from "../../../agent/bus/reference.ts";
import { subjects } from "../../../agent/bus/subjects.ts";

describe("the reference of the bus", () => {
  test("is up to date: otherwise run node agent/bus/writeReference.ts", async () => {
    const written = await readFile(new URL("../../../docs/bus.md", import.meta.url), "utf8");
    expect(written).toBe(reference(subjects));
  });

  test("tells of every subject who speaks, who listens and what travels", () => {
    const { hmRequests } = subjects;
    const text = reference({ hmRequests });
    expect(text).toContain("## cloudcontrollers.hm.requests");
    expect(text).toContain("From health to controller, queue group `cc`.");
    expect(text).toContain("- `op`: `START` or `STOP` or `SPINDOWN`");
    expect(text).toContain("- `droplet`: string or number");
    expect(text).toContain("- `indices` (optional): list of integer");
  });
});
