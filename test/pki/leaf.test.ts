import { execFileSync } from "node:child_process";
import { type createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { authorityOf } from "../../pki/authority.ts";
import { issueLeaf, outworn } from "../../pki/leaf.ts";

const created = "2026-11-23T16:00:00.000Z";
const now = Date.parse("2026-11-24T10:00:00.000Z");
const day = 24 * 60 * 60 * 1000;
const authority = authorityOf({ cluster: "trio", seed: Buffer.alloc(32, 7).toString("base64"), created });
const stranger = authorityOf({ cluster: "trio", seed: Buffer.alloc(32, 8).toString("base64"), created });
const pairs = {
  Ed25519: generateKeyPairSync("ed25519"),
  "P-256": generateKeyPairSync("ec", { namedCurve: "prime256v1" }),
};
const publicPem = (pair: { publicKey: ReturnType<typeof createPublicKey> }) =>
  pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const facts = { authority, key: publicPem(pairs.Ed25519), node: "dea-0", address: "10.20.0.4", now };

describe.each(Object.entries(pairs))("a node's certificate for a key of the kind %s", (_kind, pair) => {
  const key = publicPem(pair);
  const leaf = issueLeaf({ ...facts, key });
  const read = new X509Certificate(leaf);

  it("is for that very key, signed by the cluster's authority, and signs nothing itself", () => {
    const ca = new X509Certificate(authority.certificate);
    expect(read.checkPrivateKey(pair.privateKey) && read.checkIssued(ca) && read.verify(ca.publicKey)).toBe(true);
    expect([read.ca, read.subject, read.issuer]).toEqual([false, "CN=dea-0", "CN=tutti trio"]);
    expect(read.verify(new X509Certificate(stranger.certificate).publicKey)).toBe(false);
  });

  it("is good for the node's id, its address and the machine itself, to serve and to call", () => {
    expect(read.subjectAltName).toBe("DNS:dea-0, DNS:localhost, IP Address:10.20.0.4, IP Address:127.0.0.1");
    expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  it("begins a day earlier, because clocks differ, and lasts a year", () => {
    expect([Date.parse(read.validFrom), Date.parse(read.validTo)]).toEqual([now - day, now + 365 * day]);
  });

  it("is taken by a strict verifier for both purposes", () => {
    const home = mkdtempSync(join(tmpdir(), "tutti-leaf-"));
    try {
      writeFileSync(join(home, "ca.pem"), authority.certificate);
      writeFileSync(join(home, "leaf.pem"), leaf);
      for (const purpose of ["sslserver", "sslclient"]) {
        const args = ["verify", "-x509_strict", "-purpose", purpose, "-attime", String(now / 1000)];
        const said = execFileSync("openssl", [...args, "-CAfile", "ca.pem", "leaf.pem"], { cwd: home, stdio: "pipe" });
        expect(said.toString()).toBe("leaf.pem: OK\n");
      }
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it("carries a TLS connection between two who trust the authority alone", async () => {
    const cert = issueLeaf({ ...facts, key, address: "127.0.0.1", now: Date.now() });
    const options = { cert, key: pair.privateKey.export({ type: "pkcs8", format: "pem" }), ca: authority.certificate };
    const server = createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (socket) => socket.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect({ ...options, host: "127.0.0.1", port: (server.address() as AddressInfo).port });
    await once(client, "secureConnect");
    expect(client.authorized).toBe(true);
    client.destroy();
    server.close();
  });
});

describe("what a certificate is given for", () => {
  it("is one of two kinds of public key, and nothing else", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const secret = pairs.Ed25519.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    for (const key of [publicPem(rsa), secret, "", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"])
      expect(() => issueLeaf({ ...facts, key })).toThrow();
    const curve = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
    expect(() => issueLeaf({ ...facts, key: publicPem(curve) })).toThrow("a key of type ec");
  });

  it("is an address of either kind, and nothing that only looks like one", () => {
    const of = (address: string) => new X509Certificate(issueLeaf({ ...facts, address }));
    expect(of("fd00::4").checkIP("fd00:0:0:0:0:0:0:4")).toBeDefined();
    expect(of("1:2:3:4:5:6:7:8").checkIP("1:2:3:4:5:6:7:8")).toBeDefined();
    for (const address of ["", "10.0.0", "10.0.0.256", "1::2::3", "example.com", "1:2:3:4:5:6:7", "::g"])
      expect(() => of(address), address).toThrow("is no IP address");
  });
});

describe("a certificate is made anew", () => {
  const leaf = issueLeaf(facts);

  it("not while it is good", () => {
    expect(outworn(leaf, facts)).toBe(false);
    expect(outworn(leaf, { ...facts, now: now + 200 * day })).toBe(false);
  });

  it("when a third of its time is left, and when the clock says that it has not begun", () => {
    expect(outworn(leaf, { ...facts, now: now + 250 * day })).toBe(true);
    expect(outworn(leaf, { ...facts, now: now - 2 * day })).toBe(true);
  });

  it("when the node has another address or id, when the authority is another one, and when it cannot be read", () => {
    expect(outworn(leaf, { ...facts, address: "10.20.0.5" })).toBe(true);
    expect(outworn(leaf, { ...facts, node: "dea-1" })).toBe(true);
    expect(outworn(leaf, { ...facts, authority: stranger })).toBe(true);
    expect(outworn("", facts)).toBe(true);
  });
});
