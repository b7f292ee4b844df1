import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { authorityOf } from "../../pki/authority.ts";
import { integer, oid, time } from "../../pki/der.ts";

const facts = { cluster: "trio", seed: Buffer.alloc(32, 7).toString("base64"), created: "2026-11-23T16:00:00.000Z" };

describe("a cluster's authority", () => {
  it("is the same to the byte whenever it is made of the same seed", () => {
    expect(authorityOf(facts)).toEqual(authorityOf(facts));
  });

  it("is another one for another seed, and its key and join secret have nothing in common", () => {
    const one = authorityOf(facts);
    const other = authorityOf({ ...facts, seed: Buffer.alloc(32, 8).toString("base64") });
    expect(new Set([one.key, other.key, one.join, other.join, one.certificate, other.certificate]).size).toBe(6);
  });

  it("signs itself, begins a day before it was made and lasts ten years", () => {
    const { certificate, key } = authorityOf(facts);
    const read = new X509Certificate(certificate);
    expect(read.ca && read.verify(read.publicKey) && read.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect([read.subject, read.validFrom]).toEqual(["CN=tutti trio", "Nov 22 16:00:00 2026 GMT"]);
    expect(read.validToDate.getUTCFullYear()).toBe(2036);
  });

  it("is taken by a strict verifier, with a certificate that it has signed for a node", () => {
    const home = mkdtempSync(join(tmpdir(), "tutti-authority-"));
    const openssl = (...args: string[]) =>
      execFileSync("openssl", args, { cwd: home, encoding: "utf8", stdio: "pipe" });
    try {
      const { certificate, key } = authorityOf(facts);
      writeFileSync(join(home, "ca.pem"), certificate);
      writeFileSync(join(home, "ca.key"), key, { mode: 0o600 });
      writeFileSync(
        join(home, "ext"),
        "subjectAltName=IP:10.20.0.4\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n",
      );
      openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "n.key", "-subj", "/CN=dea-0", "-out", "n.csr");
      const sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext", "-out", "n.pem"];
      openssl("x509", "-req", "-in", "n.csr", ...sign);
      expect(openssl("verify", "-x509_strict", "-CAfile", "ca.pem", "ca.pem", "n.pem")).toBe("ca.pem: OK\nn.pem: OK\n");
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

describe("DER", () => {
  it("writes numbers with as few bytes as will do, and never as negative ones", () => {
    expect(integer(Buffer.from([0, 0, 5])).toString("hex")).toBe("020105");
    expect(integer(Buffer.from([0x80])).toString("hex")).toBe("02020080");
    expect(integer(Buffer.from([0])).toString("hex")).toBe("020100");
  });

  it("writes names of algorithms and instants on both sides of 2050", () => {
    expect(oid("1.2.840.113549").toString("hex")).toBe("06062a864886f70d");
    expect(time(new Date("2049-12-31T23:59:59Z")).subarray(2).toString()).toBe("491231235959Z");
    expect(time(new Date("2050-01-01T00:00:00Z")).subarray(2).toString()).toBe("20500101000000Z");
  });
});
