import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { judge } from "../../../agent/identity/judge.ts";
import { newAuthority, tlsOf } from "../../support/joined.ts";

const authority = newAuthority();
const day = 24 * 60 * 60 * 1000;
const now = Date.UTC(2026, 5, 1);
const leaf = tlsOf(authority, { node: "dea-0", address: "10.0.0.5", now });
const tlsPublic = createPublicKey(createPrivateKey(leaf.key)).export({ type: "spki", format: "pem" }).toString();
const facts = { ca: authority.certificate, id: "dea-0", address: "10.0.0.5", tlsPublic, now };

describe("what a certificate is worth", () => {
  test.each([
    ["on its first day", {}, "good"],
    ["by a clock that is a little late", { now: now - day / 2 }, "good"],
    ["by a clock that starts in 1970", { now: 0 }, "good"],
    ["when half of its time is over", { now: now + 180 * day }, "good"],
    ["when two thirds are over", { now: now + 250 * day }, "due"],
    ["when all of it is over", { now: now + 366 * day }, "stale"],
    ["at another address", { address: "10.0.0.6" }, "stale"],
    ["at an address that is a name", { address: "dea-0" }, "good"],
    ["of another node", { id: "dea-1" }, "none"],
    ["for another key", { tlsPublic: "x" }, "none"],
    ["of another authority", { ca: newAuthority().certificate }, "none"],
  ])("%s", (_when, change, verdict) => {
    expect(judge(leaf.cert, { ...facts, ...change })).toMatchObject({ verdict, why: expect.stringMatching(/^\w/) });
  });

  test.each([[undefined], [""], ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]])(
    "that is none: %j",
    (text) => expect(judge(text, facts).verdict).toBe("none"),
  );
});
