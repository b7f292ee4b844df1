import { expect, test } from "vitest";
import { whyNot } from "../../../agent/bus/whyNot.ts";

const error = (name: string, message = "", more: object = {}) => Object.assign(new Error(message), { name, ...more });
const caused = (code: string) => error("ConnectionError", "it failed", { cause: error("Error", code, { code }) });

test.each([
  ["nobody listens", caused("ECONNREFUSED"), "away"],
  ["there is no way to it", caused("EHOSTUNREACH"), "away"],
  ["it closed the connection", undefined, "away"],
  ["it takes too long", error("TimeoutError", "timeout"), "silent"],
  ["it knows no such user", error("AuthorizationError", "Authorization Violation"), "refused"],
  ["it is of another authority", error("Error", "x", { code: "SELF_SIGNED_CERT_IN_CHAIN" }), "stranger"],
  ["it is of an unknown authority", caused("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "stranger"],
  ["it is another machine", caused("ERR_TLS_CERT_ALTNAME_INVALID"), "stranger"],
  ["it has no encryption", error("ConnectionError", "server does not support 'tls'"), "stranger"],
  ["its certificate has run out", caused("CERT_HAS_EXPIRED"), "clock"],
  ["its certificate is from the future", caused("CERT_NOT_YET_VALID"), "clock"],
])("%s", (_what, cause, obstacle) => {
  expect(whyNot(cause)).toEqual({ obstacle, text: expect.stringMatching(/^\w.+/) });
});
