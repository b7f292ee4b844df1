import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SecretInUserData } from "../../cloudinit/refusals.ts";
import { renderUserData } from "../../cloudinit/render.ts";
import { refuseSecrets } from "../../cloudinit/secrets.ts";
import { birthOf, claimSecret } from "../support/cloudinit.ts";

const look = (text: string, forbid: string[] = []) => refuseSecrets(text, { except: claimSecret, forbid });

describe("what looks like a secret is refused", () => {
  // Put together here, so that nobody's scanner takes this file for a leak.
  const secrets: [what: string, text: string][] = [
    ["a private key", `-----BEGIN ${"RSA PRIVATE"} KEY-----\nabc`],
    ["a private key", `-----BEGIN ${"PRIVATE"} KEY-----\nabc`],
    ["a private key", `-----BEGIN OPENSSH ${"PRIVATE"} KEY-----`],
    ["the seed of a NATS key", `seed: SU${"A".repeat(56)}`],
    ["the seed of a NATS key", `"SA${"B7".repeat(28)}"`],
    ["an AWS access key", `key=AKIA${"Z".repeat(16)}`],
    ["an AWS secret key", `aws_secret_access_key = ${"a/b+".repeat(10)}`],
    ["an AWS secret key", `"SecretAccessKey": "${"a/b+".repeat(10)}"`],
    ["a signed address", "https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature=abc"],
    ["a password in an address", "nats://user:hunter2@10.0.0.1:4222"],
    ["a password", "password: hunter2"],
    ["a password", '"db_password": "hunter2"'.replace(': "', ": ")],
    ["a password", "admin_passwd=hunter2"],
    ["a token of GitHub", `ghp_${"a1B2".repeat(9)}`],
    ["a JSON web token", `eyJ${"a".repeat(12)}.eyJ${"b".repeat(12)}.sig`],
  ];

  it.each(secrets)("%s", (what, text) => {
    expect(() => look(`one\ntwo ${text}`)).toThrow(`user data would hold ${what} (line 2)`);
  });

  it("names the kind and the line, never the secret itself", () => {
    const text = `x AKIA${"Z".repeat(16)}`;
    try {
      look(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SecretInUserData);
      expect(JSON.stringify(error) + String(error)).not.toContain("ZZZ");
    }
  });
});

describe("what only resembles one is let through", () => {
  it.each([
    "the PEM of a certificate: -----BEGIN CERTIFICATE-----",
    'password="$(cat file)"',
    "the password: of somebody".replace(": of", " of"),
    "https://host:8443/path",
    `sha256=${"ab".repeat(32)}`,
    `SUN${"A".repeat(20)}`,
  ])("%s", (text) => expect(() => look(text)).not.toThrow());
});

describe("a value that must not leave", () => {
  const value = `canary "${randomBytes(24).toString("base64")}"`;

  it.each([
    ["as it is", value],
    ["in JSON", JSON.stringify({ a: value })],
    ["in an address", `https://x/?a=${encodeURIComponent(value)}`],
    ["in base64", Buffer.from(value).toString("base64")],
    ["in base64 for addresses", Buffer.from(value).toString("base64url")],
    ["in hex", Buffer.from(value).toString("hex")],
  ])("is found %s", (_how, text) => {
    expect(() => look(`one\n${text}`, [value])).toThrow("a value that must not leave (line 2)");
  });

  it("is found in a rendered birth, wherever it hides", () => {
    const cores = [`core.${value.slice(8, 20)}.example`];
    expect(() => renderUserData(birthOf({ cores }), { forbid: ["", value.slice(8, 20)] })).toThrow(SecretInUserData);
    expect(() => renderUserData(birthOf(), { forbid: ["", value] })).not.toThrow();
  });

  it("may be a second use of the claim, but no other secret beside it", () => {
    expect(() => look(`password is ${claimSecret}`)).not.toThrow();
    expect(() => look(`${claimSecret} password=hunter2`)).toThrow(SecretInUserData);
  });
});
