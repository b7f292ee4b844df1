import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
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
      /^\/nowhere is not there: make the agent bundle/,
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
