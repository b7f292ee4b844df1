import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { frameOf, gzipped, headOf, holes } from "../../cloudinit/frame.ts";
import { renderUserData, userDataRenderer, userDataText } from "../../cloudinit/render.ts";
import { birthOf, birthWith, combinations } from "../support/cloudinit.ts";

describe("what many nodes have in common", () => {
  it("is written once, and each node's user data is what it would be alone", () => {
    const render = userDataRenderer();
    for (const roles of combinations) {
      for (const id of ["dea-0", "dea-999"]) {
        const birth = birthWith(roles);
        const one = { ...birth, node: { ...birth.node, id } };
        const bytes = render(one);
        expect(gunzipSync(bytes).toString()).toBe(userDataText(one));
        expect(Buffer.compare(bytes, renderUserData(one))).toBe(0);
      }
    }
  });

  it("is looked through for secrets, and so is what is one node's own", () => {
    const render = userDataRenderer({ forbid: ["a secret of the cluster"] });
    render(birthOf());
    expect(() => render(birthOf({ ca: "x a secret of the cluster x" }))).toThrow(/a value that must not leave/);
    expect(() => render(birthOf({ ca: "password=hush" }))).toThrow(/a password/);
    expect(() => render(birthOf({ region: "a secret of the cluster" }))).toThrow(/a value that must not leave/);
  });
});

describe("a frame", () => {
  const frame = frameOf(`name ${holes.id}\n  ${holes.birth}\nagain ${holes.id}: ${"the rest\n".repeat(5000)}`);

  it("has a hole for each thing that differs", () => {
    expect(headOf(frame, { id: "dea-0", birth: "{}" })).toBe("name dea-0\n  {}\nagain dea-0");
  });

  it("makes one gzip file, whatever is in the head: empty, long or not ASCII", () => {
    for (const head of ["", "ü€😀", "x".repeat(100_000)])
      expect(gunzipSync(gzipped(head, frame)).toString()).toBe(head + frame.tail);
  });
});
