import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { contact } from "../../bootstrap/contact.ts";
import type { BootstrapFault } from "../../bootstrap/fault.ts";
import { gate } from "../../bootstrap/gate.ts";
import type { HostKey } from "../../bootstrap/hostKey.ts";
import { knownLines, nameOf } from "../../bootstrap/knownHosts.ts";
import { connect } from "../../bootstrap/ssh.ts";
import { type FakeSsh, type FakeSshOptions, fakeSsh } from "../support/fakeSsh.ts";
import { consoleBlock, type KeyPair, keyPair, offerOf, type Sshd, startSshd } from "../support/sshd.ts";

let work: string;
let key: KeyPair;
let honest: Sshd;
const servers: FakeSsh[] = [];

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "tutti-hostile-"));
  key = keyPair(work, "id_me");
  honest = await startSshd({ authorized: [key.publicLine], kinds: ["ed25519", "ecdsa", "rsa"] });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => {
  await honest.stop();
  rmSync(work, { recursive: true, force: true });
});

async function attacker(options?: FakeSshOptions): Promise<FakeSsh> {
  const server = await fakeSsh(options);
  servers.push(server);
  return server;
}

const stop = new AbortController().signal;

/** Contacts a port as the machine that is known by these keys; resolves to why it came to nothing. */
async function refusal(
  port: number,
  hostKeys: readonly HostKey[],
  more: { knownHosts?: string; console?: string } = {},
) {
  const target = {
    name: "lead-0",
    host: "127.0.0.1",
    port,
    user: honest.user,
    ...(more.console && { instance: "i-0a" }),
  };
  const known = knownLines(nameOf("127.0.0.1", port), hostKeys);
  const session = contact(target, {
    keys: [offerOf(key)],
    knownHosts: more.knownHosts ?? (more.console ? "" : known),
    console: async () => more.console ?? "",
    ...{ gate: gate(4), tell: () => {}, deadline: performance.now() + 2000, pace: 20, patience: 5000, stop },
  });
  return await session.then(
    () => {
      throw new Error("it was let in");
    },
    (fault: BootstrapFault) => fault,
  );
}

describe("somebody in between", () => {
  it("with fresh keys of the same kind is refused, with both fingerprints, and is told nothing", async () => {
    const server = await attacker();
    const { code, exit, message } = await refusal(server.port, honest.hostKeys.slice(0, 1));
    expect({ code, exit }).toEqual({ code: "host_key_differs", exit: 6 });
    expect(message).toContain(honest.hostKeys[0]?.fingerprint);
    expect(message).toContain(server.hostKeys[0]?.fingerprint);
    expect(server.seen).toEqual([]);
  });

  it.each([["rsa"], ["ecdsa"]] as const)(
    "who has only a key of another kind (%s) is not negotiated with, and its fingerprint is shown",
    async (kind) => {
      const server = await attacker({ kinds: [kind] });
      const { code, message } = await refusal(server.port, honest.hostKeys.slice(0, 1));
      expect(code).toBe("host_key_differs");
      expect(message).toContain(honest.hostKeys[0]?.fingerprint);
      expect(message).toContain(server.hostKeys[0]?.fingerprint);
      expect(server.seen).toEqual([]);
    },
  );

  it("who offers all kinds at once is refused as well", async () => {
    const server = await attacker({ kinds: ["rsa", "ecdsa", "ed25519"] });
    for (const known of [honest.hostKeys, honest.hostKeys.slice(2), honest.hostKeys.slice(1, 2)])
      expect(await refusal(server.port, known)).toMatchObject({ code: "host_key_differs" });
    expect(server.seen).toEqual([]);
  });

  it("who speaks RSA with SHA-1 only is refused", async () => {
    const server = await attacker({ kinds: ["rsa"], algorithms: ["ssh-rsa"] });
    expect(await refusal(server.port, server.hostKeys)).toMatchObject({ code: "host_key_differs" });
    expect(server.seen).toEqual([]);
  });

  it("who shows the right public key and has no private one is refused", async () => {
    const server = await attacker({ pretends: honest.hostKeys[0] as HostKey });
    expect(await refusal(server.port, honest.hostKeys.slice(0, 1))).toMatchObject({
      code: "host_key_differs",
      passing: false,
    });
    expect(server.seen).toEqual([]);
  });

  it("who replays the keys of another machine, from known hosts or a console, is refused", async () => {
    const server = await attacker();
    // The person knows the attacker's machine too, by its own name.
    const knownHosts =
      knownLines("[127.0.0.1]:1", server.hostKeys) + knownLines(nameOf("127.0.0.1", server.port), honest.hostKeys);
    expect(await refusal(server.port, [], { knownHosts })).toMatchObject({ code: "host_key_differs" });
    expect(await refusal(server.port, [], { console: consoleBlock(honest.hostKeys) })).toMatchObject({
      code: "host_key_differs",
    });
    expect(server.seen).toEqual([]);
  });

  it("who prints a block of keys in one line of a log changes nothing", async () => {
    const server = await attacker();
    const forged = JSON.stringify({ lines: [consoleBlock(server.hostKeys)] });
    const fault = await refusal(server.port, [], {
      console: `${consoleBlock(honest.hostKeys)}tutti-boot: ${forged}\r\n`,
    });
    expect(fault).toMatchObject({ code: "host_key_differs" });
  });

  it("with a key that was revoked is refused, although it was good once", async () => {
    const server = await attacker();
    const [shown] = server.hostKeys;
    const knownHosts = `${knownLines(nameOf("127.0.0.1", server.port), server.hostKeys)}@revoked * ${shown?.type} ${shown?.blob}\n`;
    expect(await refusal(server.port, [], { knownHosts })).toMatchObject({ code: "host_key_revoked" });
    expect(server.seen).toEqual([]);
  });
});

describe("a machine that nobody has told of", () => {
  it("is never believed: its fingerprint is shown and that is all", async () => {
    const server = await attacker();
    const { code, message } = await refusal(server.port, []);
    expect(code).toBe("host_key_unknown");
    expect(message).toContain(server.hostKeys[0]?.fingerprint);
    expect(server.seen).toEqual([]);
  });

  it("cannot be connected to without a key, whoever asks", () => {
    const address = { host: "127.0.0.1", port: honest.port, user: honest.user };
    expect(() => connect({ ...address, keys: [offerOf(key)], hostKeys: [], stop })).toThrow(/no host key/);
  });
});

describe("honest machines", () => {
  const session = (port: number, hostKeys: readonly HostKey[]) =>
    connect({ host: "127.0.0.1", port, user: honest.user, keys: [offerOf(key)], hostKeys, stop });

  it("are never refused: a thousand connections by keys of three kinds", { timeout: 240_000 }, async () => {
    const server = await attacker({ kinds: ["ed25519", "ecdsa", "rsa"] });
    const limit = gate(16);
    const one = (i: number) =>
      limit(async () => {
        const known = i % 4 === 3 ? server.hostKeys : server.hostKeys.slice(i % 4, (i % 4) + 1);
        const got = await session(server.port, known);
        got.close();
        return got.hostKey.fingerprint;
      });
    const shown = await Promise.all(Array.from({ length: 1000 }, (_, i) => one(i)));
    expect(shown).toHaveLength(1000);
    expect(new Set(shown)).toEqual(new Set(server.hostKeys.map(({ fingerprint }) => fingerprint)));
  });

  it("are never refused where a real sshd runs: sixty connections, each with a command", {
    timeout: 240_000,
  }, async () => {
    const limit = gate(8);
    const one = (i: number) =>
      limit(async () => {
        const got = await session(honest.port, honest.hostKeys.slice(i % 3, (i % 3) + 1));
        const { code, out } = await got.exec({ command: "cat", stdin: `${i}` });
        got.close();
        return { code, out };
      });
    const said = await Promise.all(Array.from({ length: 60 }, (_, i) => one(i)));
    expect(said).toEqual(Array.from({ length: 60 }, (_, i) => ({ code: 0, out: `${i}` })));
  });
});
