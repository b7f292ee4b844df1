import { describe, expect, test } from "vitest";
import { admission, type Facts, renewal } from "../../../agent/core/admission.ts";
import { admitted, type Member } from "../../../agent/core/members.ts";
import { neighboursOf } from "../../../agent/core/neighbours.ts";
import { madeAt, makeClaim } from "../../../pki/claim.ts";
import { testNode } from "../../support/cores.ts";

const now = Date.parse("2026-11-24T10:00:00.000Z");
const minute = 60_000;
const join = "the join secret";
const facts: Facts = { join, now, member: undefined, sameKey: undefined, sameAddress: undefined };
const claimOf = (made = now, roles = ["dea"]) => makeClaim({ join, node: "dea-0", roles, now: made });
const machine = testNode("dea-0");
const { key, tlsKey, instance, address, index } = machine;
const asked = (claim = claimOf()) => ({ node: "dea-0", claim, key, tlsKey, instance, address, index });
const memberBy = (claim: ReturnType<typeof claimOf>, more: Partial<Member> = {}): Member => ({
  ...{ key, tlsKey, instance, address, index, roles: claim.roles, claim: claim.id },
  ...more,
});
const verdict = (decision: ReturnType<typeof admission>) => ("refused" in decision ? decision.refused.code : "let in");

describe("an admission", () => {
  test("makes the node what its claim says, not what somebody else says", () => {
    expect(admission(asked(), facts)).toEqual({ member: memberBy(claimOf()) });
  });

  test("may be repeated by whoever was let in, for a day and longer, with another address and another key for TLS", () => {
    const claim = claimOf(now - 24 * 60 * minute);
    const again = { ...asked(claim), address: "10.0.0.9", tlsKey: "another" };
    const decision = admission(again, { ...facts, member: memberBy(claim) });
    expect(decision).toEqual({ member: memberBy(claim, { address: "10.0.0.9", tlsKey: "another" }) });
  });

  test("by a later claim replaces the machine, and by an earlier one does not", () => {
    const other = testNode("dea-0", { instance: "i-new" });
    const member = memberBy(claimOf(now - 10 * minute));
    const by = (claim: ReturnType<typeof claimOf>) =>
      verdict(admission({ ...asked(claim), key: other.key, instance: "i-new" }, { ...facts, member }));
    expect(by(claimOf(now - 9 * minute))).toBe("let in");
    expect(by(claimOf(now - 11 * minute))).toBe("claim_used");
    expect(by(claimOf(now - 10 * minute))).toBe("claim_used");
  });

  test("of a node that was shut out needs a claim that was made after that", () => {
    const member = memberBy(claimOf(now - 20 * minute), { revoked: now - 10 * minute });
    const by = (made: number) => verdict(admission(asked(claimOf(made)), { ...facts, member }));
    expect([by(now - 20 * minute), by(now - 15 * minute), by(now - 10 * minute)]).toEqual(
      Array(3).fill("node_revoked"),
    );
    expect(admission(asked(claimOf(now - 9 * minute)), { ...facts, member })).toEqual({
      member: memberBy(claimOf(now - 9 * minute)),
    });
  });

  test("is given to nobody who has another's key or address", () => {
    expect(verdict(admission(asked(), { ...facts, sameKey: "dea-1" }))).toBe("key_in_use");
    expect(verdict(admission(asked(), { ...facts, sameAddress: "dea-1" }))).toBe("address_in_use");
  });

  test("is decided by the claim before anything else is told", () => {
    const forged = { ...claimOf(), secret: "x" };
    const member = memberBy(claimOf(), { revoked: now });
    expect(verdict(admission(asked(forged), { ...facts, member, sameKey: "dea-1" }))).toBe("claim_forged");
  });
});

describe("a renewal", () => {
  test("is for members only, and for the machine that was let in", () => {
    const member = memberBy(claimOf());
    const wanted = { instance, address: "10.0.0.9", tlsKey: "another" };
    const by = (more: Partial<Facts>, request = wanted) => verdict(renewal(request, { ...facts, ...more }));
    expect(renewal(wanted, { ...facts, member })).toEqual({
      member: { ...member, address: "10.0.0.9", tlsKey: "another" },
    });
    expect(by({})).toBe("node_revoked");
    expect(by({ member: { ...member, revoked: 1 } })).toBe("node_revoked");
    expect(by({ member }, { ...wanted, instance: "i-copy" })).toBe("wrong_instance");
    expect(by({ member, sameAddress: "dea-1" })).toBe("address_in_use");
  });
});

describe("who else has what a node wants", () => {
  const members = new Map([
    ["dea-0", memberBy(claimOf(), { address: "10.0.0.5" })],
    ["dea-1", memberBy(claimOf(), { key: "UOTHER", address: "10.0.0.6" })],
  ]);
  const cluster = { cores: ["10.0.0.4", "127.0.0.1"] } as unknown as Parameters<typeof neighboursOf>[1]["cluster"];
  const around = (alive: boolean) => ({
    ...{ cluster, reserved: new Set(["UCORE"]), roster: { knowledge: { members } } as never },
    pulse: { alive: () => alive, heard() {} },
  });

  test("is nobody for what is its own or new", () => {
    const nobody = { sameKey: undefined, sameAddress: undefined, gone: [] };
    expect(neighboursOf({ node: "dea-0", address: "10.0.0.5", key }, around(true))).toEqual(nobody);
    expect(neighboursOf({ node: "dea-2", address: "10.0.0.7", key: "UNEW" }, around(true))).toEqual(nobody);
  });

  test("is a node that lives; one that is gone loses its address", () => {
    const wanted = { node: "dea-2", address: "10.0.0.6", key: "UNEW" };
    expect(neighboursOf(wanted, around(true)).sameAddress).toBe("dea-1");
    expect(neighboursOf(wanted, around(false))).toEqual({
      sameKey: undefined,
      sameAddress: undefined,
      gone: ["dea-1"],
    });
  });

  test("is a core: nobody may pass for one", () => {
    expect(neighboursOf({ node: "dea-2", address: "10.0.0.4" }, around(false)).sameAddress).toBe("a core");
    expect(neighboursOf({ node: "dea-2", address: "10.0.0.7", key: "UCORE" }, around(false)).sameKey).toBe(
      "of this core",
    );
  });

  test("is nobody for the addresses that every machine has", () => {
    expect(neighboursOf({ node: "dea-2", address: "127.0.0.1" }, around(true)).sameAddress).toBeUndefined();
  });
});

describe("the users of a server", () => {
  test("are the members that were not shut out, with the roles that they should have and those they are leaving", () => {
    const members = new Map([
      ["b", memberBy(claimOf(now, ["dea"]), { key: "UB" })],
      ["a", memberBy(claimOf(now, ["router"]), { key: "UA" })],
      ["c", memberBy(claimOf(), { key: "UC", revoked: 1 })],
      ["d", memberBy(claimOf(), { key: "UA" })],
      ["e", memberBy(claimOf(), { key: "UCORE" })],
    ]);
    const wishes = new Map([["b", ["stager"]]]);
    const users = admitted({ members, wishes, leaving: new Map([["b", ["dea"]]]) }, new Set(["UCORE"]));
    expect(users.map(({ id, roles }) => [id, ...roles])).toEqual([
      ["a", "router"],
      ["b", "dea", "stager"],
    ]);
  });
});

test("when a claim was made is what its id says, and the beginning of time for what is none", () => {
  expect([madeAt(claimOf()), madeAt({ id: "x" })]).toEqual([now, 0]);
});
