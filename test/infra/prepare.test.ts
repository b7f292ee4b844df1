import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { prepare } from "../../infra/prepare.ts";
import { bundle, profile } from "../support/infra.ts";

const home = mkdtempSync(join(tmpdir(), "tutti-prepare-"));
afterAll(() => rmSync(home, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(home, name), text);
  return join(home, name);
}

const spec = (key: string) =>
  file(
    "cluster.yaml",
    `name: x\ndomain: x.test\naws: { region: eu-west-1, owner: me, ssh: { from: [10.0.0.0/8], key: "${key}" } }\n` +
      "nodes: [{ name: all, roles: [core, controller, router] }]\n",
  );

/** What the person would see. The engine shows such an error without a stack trace. */
function refusal(args: Parameters<typeof prepare>[0]): string {
  try {
    prepare(args);
  } catch (error) {
    expect(error).toMatchObject({ __pulumiRunError: true });
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

describe("what a cluster is made of", () => {
  it("is read from files beside its spec", () => {
    file("me.pub", "ssh-ed25519 AAAAC3Nza me@example.com\n");
    const agent = file("tutti-agent-1.2.3-x64-0123.tar.gz", "an agent");
    expect(prepare({ spec: spec("me.pub"), bundle: agent })).toMatchObject({
      sshKey: "ssh-ed25519 AAAAC3Nza me@example.com",
      bundle: {
        version: "1.2.3",
        sha256: createHash("sha256").update("an agent").digest("hex"),
        file: agent,
      },
      nodes: [{ id: "all-0" }],
    });
  });

  it("takes the newest bundle of a directory", () => {
    const old = file("tutti-agent-1.0.0-x64-0000.tar.gz", "old");
    utimesSync(old, 1, 1);
    file("tutti-agent-2.0.0-x64-1111.tar.gz", "new");
    expect(prepare({ spec: profile("trio"), bundle: home }).bundle.version).not.toBe("1.0.0");
  });
});

describe("the ssh key", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("of whoever runs it takes the place of the spec's: a text or a file", () => {
    const given = "ssh-ed25519 AAAAmine me";
    expect(prepare({ spec: spec("none.pub"), bundle, sshKey: given }).sshKey).toBe(given);
    vi.stubEnv("TUTTI_SSH_KEY", file("mine.pub", `${given}\n`));
    expect(prepare({ spec: spec("none.pub"), bundle }).sshKey).toBe(given);
  });

  it("is none where the spec lets no ssh in", () => {
    vi.stubEnv("TUTTI_SSH_KEY", "ssh-ed25519 AAAAmine me");
    const shut = profile("trio", (text) => text.replace(/ {2}ssh:\n.*\n.*\n/, ""));
    expect(prepare({ spec: shut, bundle }).sshKey).toBeUndefined();
  });
});

describe("the agent's bundle", () => {
  const arm = profile("trio", (text) =>
    text.replace("architecture: x64", "architecture: arm64").replaceAll(/t3\.(\w+)/g, "t4g.$1"),
  );

  it("is the newest of the directory that is for the machines' architecture", () => {
    const other = file("tutti-agent-3.0.0-arm64-2222.tar.gz", "arm");
    expect(prepare({ spec: arm, bundle: home }).bundle.file).toBe(other);
    expect(prepare({ spec: profile("trio"), bundle: home }).bundle.file).not.toBe(other);
  });

  it("of the other architecture would start nothing: it is refused with the command that makes the right one", () => {
    const other = file("tutti-agent-3.0.0-x64-3333.tar.gz", "x64");
    expect(refusal({ spec: arm, bundle: other })).toMatch(
      /x64-3333\.tar\.gz is for x64, aws\.architecture is arm64: make it \(node tools\/bundle\.mjs --architecture arm64\)/,
    );
  });
});

describe("what cannot be declared is refused before anything is", () => {
  it("as a spec with two errors: both are there, each with its path", () => {
    const twice = file("twice.yaml", "name: X\ndomain: x\nnodes: [{ name: all, roles: [king] }]\n");
    expect(refusal({ spec: twice, bundle })).toMatch(
      /twice\.yaml cannot be used:\n {2}name: .*\n {2}nodes\[0\]\.roles\[0\]: /,
    );
  });

  it("as a spec or a bundle that is not there", () => {
    expect(refusal({ spec: join(home, "none.yaml"), bundle })).toMatch(/none\.yaml is not there: write one/);
    expect(refusal({ spec: profile("trio"), bundle: "/nowhere" })).toMatch(
      /^\/nowhere is not there: make it \(node tools\/bundle\.mjs --architecture x64\)/,
    );
  });

  it("as a key that is not there, with the command that makes it", () => {
    expect(refusal({ spec: spec("none.pub"), bundle })).toMatch(
      /none\.pub is not there: make one \(ssh-keygen -t ed25519 -f \S+\/none\), or name another in aws\.ssh\.key or with TUTTI_SSH_KEY/,
    );
  });

  it("as a key that is none, without a word of what is in the file", () => {
    file("wrong", "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n");
    const said = refusal({ spec: spec("wrong"), bundle });
    expect(said).toMatch(/aws\.ssh\.key: .*wrong is no public key: name the file that ends in \.pub/);
    expect(said).not.toContain("hush");
  });

  it("as a cluster without ground", () => {
    expect(refusal({ spec: profile("solo"), bundle })).toMatch(/cluster solo has no ground: add the section aws/);
  });

  it("as more nodes than the network has room for", () => {
    const tight = profile("twenty", (text) =>
      text.replace("10.40.0.0/16", "10.40.0.0/24").replace("count: 8", "count: 40"),
    );
    expect(refusal({ spec: tight, bundle })).toMatch(/zone a has room for 11 nodes .* write a larger network/);
  });
});
