import { describe, expect, it } from "vitest";
import { makeClaim, refusal } from "../../pki/claim.ts";

const now = Date.parse("2026-11-23T12:00:00Z");
const facts = { join: "the join secret", node: "dea-0", roles: ["dea"], now };
const claim = makeClaim(facts);

describe("the claim of a new machine", () => {
  it("is good for its node, within the hour", () => {
    expect(refusal(claim, facts)).toBeUndefined();
    expect(refusal(claim, { ...facts, now: now + 59 * 60_000 })).toBeUndefined();
  });

  it("is worth nothing an hour later, for another node, or with another secret", () => {
    expect(refusal(claim, { ...facts, now: now + 61 * 60_000 })).toBe("expired");
    expect(refusal(claim, { ...facts, node: "dea-1" })).toBe("of another node");
    expect(refusal(claim, { ...facts, join: "of another cluster" })).toBe("forged");
  });

  it("cannot be given a longer life, other roles or another node by who holds it", () => {
    expect(refusal({ ...claim, expires: "2036-01-01T00:00:00.000Z" }, facts)).toBe("forged");
    expect(refusal({ ...claim, id: claim.id.replace("dea-0", "core-0") }, { ...facts, node: "core-0" })).toBe("forged");
    expect(refusal({ ...claim, roles: ["core"] }, facts)).toBe("forged");
    expect(refusal({ ...claim, secret: "" }, facts)).toBe("forged");
  });

  it("does not contain the join secret, and is another one at the next birth", () => {
    expect(JSON.stringify(claim)).not.toContain(facts.join);
    expect(makeClaim({ ...facts, now: now + 1 }).secret).not.toBe(claim.secret);
  });
});
