import { describe, expect, it } from "vitest";
import type { Change, Deed } from "../../infra/run/events.ts";
import { gathered, worse } from "../../infra/run/gathered.ts";
import type { Ended } from "../../infra/run.ts";

const change = (deed: Deed, name = "run-0"): Change => ({ urn: `urn:${name}`, type: "t", name, deed, properties: [] });
const ended = (more: Partial<Ended>): Ended => ({ ok: true, changes: [], complaints: [], locks: [], ...more });

describe("what becomes of one thing in several steps", () => {
  it.each<[Deed, Deed, Deed]>([
    ["replace", "delete", "replace"],
    ["adopt", "replace", "adopt"],
    ["create", "change", "create"],
    ["change", "delete", "delete"],
  ])("is, when it is first %s and then %s, %s", (first, then, told) => {
    expect(worse(change(first), change(then)).deed).toBe(told);
  });
});

describe("several runs of the engine", () => {
  it("are one: each thing once, the last outputs, all complaints, and it went well when all did", () => {
    const all = [
      ended({ changes: [change("replace"), change("change", "lead-0")], outputs: { api: "old" } }),
      ended({ changes: [change("delete")], outputs: { api: "new" } }),
      ended({ ok: false, complaints: [{ message: "no" }] }),
    ];
    const { ok, changes, outputs, complaints } = gathered(all);
    expect(changes.map(({ deed, name }) => `${deed} ${name}`)).toEqual(["replace run-0", "change lead-0"]);
    expect({ ok, outputs, complaints }).toEqual({
      ok: false,
      outputs: { api: "new" },
      complaints: [{ message: "no" }],
    });
  });
});
