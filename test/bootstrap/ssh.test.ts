import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { settle } from "../../bootstrap/commands.ts";
import type { BootstrapFault } from "../../bootstrap/fault.ts";
import {
  agentOffer,
  type ConnectOptions,
  connect,
  type Offer,
  readPrivateKey,
  type Session,
} from "../../bootstrap/ssh.ts";
import { tcp } from "../support/fakeSsh.ts";
import { freePort, hostKeyIn, type KeyPair, keyPair, offerOf, type Sshd, sshTool, startSshd } from "../support/sshd.ts";

let work: string;
let key: KeyPair;
let other: KeyPair;
let sshd: Sshd;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "tutti-ssh-"));
  key = keyPair(work, "id_me");
  other = keyPair(work, "id_other", { kind: "ecdsa" });
  sshd = await startSshd({ authorized: [key.publicLine], config: ["MaxAuthTries 4"] });
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(async () => {
  await sshd.stop();
  rmSync(work, { recursive: true, force: true });
});

const never = new AbortController().signal;

function options(more: Partial<ConnectOptions> = {}): ConnectOptions {
  const address = { host: "127.0.0.1", port: sshd.port, user: sshd.user };
  return { ...address, keys: [offerOf(key)], hostKeys: sshd.hostKeys, stop: never, ...more };
}

async function session(more?: Partial<ConnectOptions>): Promise<Session> {
  const got = await connect(options(more));
  ends.push(() => got.close());
  return got;
}

const refusal = async (more: Partial<ConnectOptions>) =>
  await connect(options(more)).then(
    (got) => {
      got.close();
      throw new Error("it was let in");
    },
    (fault: BootstrapFault) => fault,
  );

async function server(more: Parameters<typeof startSshd>[0]): Promise<Sshd> {
  const one = await startSshd(more);
  ends.push(() => one.stop());
  return one;
}

describe("a session", () => {
  it("runs commands with their input, and tells code and both outputs", async () => {
    const { exec, trips } = await session();
    expect(await exec({ command: "cat; echo oh >&2; exit 7", stdin: "in\n" })).toEqual({
      code: 7,
      out: "in\n",
      err: "oh\n",
    });
    expect(await exec({ command: "kill -9 $$" })).toEqual({ code: undefined, out: "", err: "" });
    expect(trips()).toBe(2);
  });

  it("knows the code of a command that was over before anybody could look", async () => {
    const { exec } = await session();
    for (let i = 0; i < 60; i++)
      expect(await exec({ command: `echo ${i}; exit 3` })).toEqual({ code: 3, out: `${i}\n`, err: "" });
  });

  it("gives output as it comes", async () => {
    const { exec } = await session();
    const seen: string[] = [];
    const { out } = await exec({ command: "echo one; sleep 0.2; echo two" }, (chunk) => seen.push(chunk));
    expect(seen.join("")).toBe("one\ntwo\n");
    expect(out).toBe("");
  });

  it("takes large input, and does not mind who does not read it", async () => {
    const { exec } = await session();
    const big = "x".repeat(3 * 2 ** 20);
    expect((await exec({ command: "wc -c", stdin: big })).out.trim()).toBe(String(big.length));
    expect((await exec({ command: "exit 3", stdin: big })).code).toBe(3);
  });

  it("reaches a port of the machine's loopback", async () => {
    const web = createServer((_request, response) => response.end("from inside"));
    const port = await freePort();
    await new Promise<void>((resolve) => web.listen(port, "127.0.0.1", resolve));
    ends.push(() => web.close());
    const channel = await (await session()).forward(port);
    channel.end("GET / HTTP/1.0\r\n\r\n");
    expect(await text(channel)).toContain("from inside");
  });

  it("says so when nothing listens there, or when forwarding is not allowed", async () => {
    const fault = (got: Session, port: number) => got.forward(port).catch((error: BootstrapFault) => error.code);
    expect(await fault(await session(), await freePort())).toBe("step_failed");
    const strict = await server({ authorized: [key.publicLine], config: ["AllowTcpForwarding no"] });
    expect(await fault(await session({ port: strict.port, hostKeys: strict.hostKeys }), 80)).toBe("ssh_no_forwarding");
  });

  it("tells a command that its connection was lost, and takes no further one", async () => {
    const one = await server({ authorized: [key.publicLine] });
    const got = await session({ port: one.port, hostKeys: one.hostKeys });
    const waiting = got.exec({ command: "sleep 60" });
    waiting.catch(() => {});
    await got.exec({ command: "true" });
    await one.stop();
    await expect(waiting).rejects.toMatchObject({ code: "ssh_lost", passing: true });
    await expect(got.exec({ command: "true" })).rejects.toMatchObject({ code: "ssh_lost" });
  });

  it("ends when it is told to, at any point", async () => {
    const silent = await tcp(() => {});
    ends.push(silent.close);
    const stop = new AbortController();
    const got = connect(options({ port: silent.port, stop: stop.signal }));
    stop.abort();
    await expect(got).rejects.toMatchObject({ code: "stopped" });
    await expect(connect(options({ stop: stop.signal }))).rejects.toMatchObject({ code: "stopped" });
  });

  it("shows no secret to those who may read the arguments of processes", async () => {
    const got = await session();
    const bin = join(work, "bin");
    mkdirSync(bin);
    for (const name of ["chpasswd", "systemctl"])
      writeFileSync(join(bin, name), "#!/bin/sh\nsleep 0.3\n", { mode: 0o755 });
    const passwords = [{ user: "stackato", password: "s3cret-password" }];
    const command = settle({ home: join(work, "home"), authority: "s3cret-authority", passwords });
    const slow = {
      command: `export TUTTI_ROOT=${work} PATH=${bin}:$PATH; sleep 1; ${command?.command}`,
      stdin: command?.stdin,
    };
    const running = got.exec(slow);
    const seen = new Set<string>();
    while (!(await Promise.race([running.then(() => true), new Promise((resolve) => setTimeout(resolve, 20, false))])))
      for (const line of commandLines()) seen.add(line);
    const all = [...seen].join("\n");
    expect(all).toContain("sleep 1");
    expect(all).toContain(join(bin, "systemctl"));
    expect(readFileSync(join(work, "home/identity/authority.json"), "utf8")).toBe("s3cret-authority");
    for (const secret of ["s3cret-authority", "s3cret-password"]) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString("base64"));
    }
  });
});

function commandLines(): string[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")] : [];
    } catch {
      return [];
    }
  });
}

describe("keys", () => {
  it("are offered one after the other until one is taken", async () => {
    const got = await session({ keys: [offerOf(other), offerOf(key)] });
    expect((await got.exec({ command: "echo in" })).out).toBe("in\n");
  });

  it("that are refused are listed, with file and fingerprint", async () => {
    const third = keyPair(work, `id_third_${Date.now()}`);
    const { code, exit, message } = await refusal({ keys: [offerOf(other), offerOf(third)] });
    expect({ code, exit }).toEqual({ code: "ssh_key_refused", exit: 5 });
    for (const pair of [other, third])
      expect(message).toContain(`${pair.file} ${hostKeyIn(pair.publicLine).fingerprint}`);
  });

  it("that are too many for the server are listed as far as it looked", async () => {
    const many = Array.from({ length: 6 }, (_, i) => keyPair(work, `id_many_${i}_${Date.now()}`));
    const { code, message } = await refusal({ keys: many.map((pair) => offerOf(pair)) });
    expect(code).toBe("ssh_key_refused");
    expect(message).toContain(many[0]?.file);
  });

  it("are none: then that is what is said", async () => {
    expect(await refusal({ keys: [] })).toMatchObject({ code: "ssh_no_keys" });
  });

  it("come from an agent too, and are named when it is refused", async () => {
    const { offer } = await agent([other, key]);
    const got = await session({ keys: [offer] });
    expect((await got.exec({ command: "echo in" })).out).toBe("in\n");
    const stranger = await agent([other]);
    expect((await refusal({ keys: [stranger.offer] })).message).toContain(`agent ${stranger.offer.fingerprints[0]}`);
  });

  it("of an agent that is not there are none", async () => {
    expect(await agentOffer(join(work, "nothing.sock"))).toBeUndefined();
  });

  it("open with their passphrase only, in OpenSSH's format and in the older one", async () => {
    const closed = keyPair(work, "id_closed", { passphrase: "open sesame" });
    const old = keyPair(work, "id_old", { kind: "rsa", passphrase: "open sesame" });
    execFileSync(sshTool("ssh-keygen"), [
      "-q",
      "-p",
      "-m",
      "PEM",
      "-P",
      "open sesame",
      "-N",
      "open sesame",
      "-f",
      old.file,
    ]);
    for (const { file } of [closed, old]) {
      const content = readFileSync(file, "utf8");
      expect(readPrivateKey(file, content)).toBe("encrypted");
      expect(readPrivateKey(file, content, "wrong")).toBe("encrypted");
      expect(readPrivateKey(file, content, "open sesame")).toMatchObject({ name: file });
    }
    expect(readPrivateKey("x", "no key at all")).toBeUndefined();
    expect(readPrivateKey("x", key.publicLine)).toBeUndefined();
  });

  async function agent(pairs: readonly KeyPair[]): Promise<{ offer: Offer }> {
    const socket = join(mkdtempSync(join(work, "agent-")), "s");
    const child: ChildProcess = spawn(sshTool("ssh-agent"), ["-D", "-a", socket], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    ends.push(() => child.kill());
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    for (const { file } of pairs) execFileSync(sshTool("ssh-add"), ["-q", file], { env });
    return { offer: (await agentOffer(socket)) as Offer };
  }
});

describe("what goes wrong before anybody is let in", () => {
  it("a closed port", async () => {
    expect(await refusal({ port: await freePort() })).toMatchObject({ code: "ssh_refused", exit: 5, passing: true });
  });

  it("a port that takes connections and never says a word", async () => {
    const silent = await tcp(() => {});
    ends.push(silent.close);
    const { code, passing, message } = await refusal({ port: silent.port, patience: 300 });
    expect({ code, passing }).toEqual({ code: "ssh_timeout", passing: true });
    expect(message).toContain("says nothing");
  });

  it("a port that hangs up at once", async () => {
    const short = await tcp((socket) => socket.destroy());
    ends.push(short.close);
    expect(await refusal({ port: short.port })).toMatchObject({ code: "ssh_lost", passing: true });
  });

  it("a name that nobody knows", async () => {
    expect(await refusal({ host: "no-such-host.invalid" })).toMatchObject({ code: "ssh_unreachable" });
  });

  it.each([
    ["a web server", "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n", true],
    ["a mail server", "220 mail.example ESMTP\r\n", false],
    ["bytes without sense", Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 37) % 251)), false],
    ["an endless line", "A".repeat(200_000), false],
    ["endless lines", "no ssh here\r\n".repeat(20_000), false],
    ["ssh of the first version", "SSH-1.5-OldServer\r\n", false],
  ])("%s instead of ssh", async (_what, said, hangsUp) => {
    const stranger = await tcp((socket) => void (hangsUp ? socket.end(said) : socket.write(said)));
    ends.push(stranger.close);
    expect(await refusal({ port: stranger.port, patience: 1500 })).toMatchObject({ code: "not_ssh", passing: false });
  });

  it("a server that takes passwords only", async () => {
    const strict = await server({ config: ["PubkeyAuthentication no", "PasswordAuthentication yes"] });
    const { code, message } = await refusal({ port: strict.port, hostKeys: strict.hostKeys });
    expect(code).toBe("ssh_no_method");
    expect(message).toContain("by password only");
  });

  it("a server that wants a password behind the key", async () => {
    const config = ["AuthenticationMethods publickey,password", "PasswordAuthentication yes"];
    const strict = await server({ authorized: [key.publicLine], config });
    const { code, message } = await refusal({ port: strict.port, hostKeys: strict.hostKeys });
    expect(code).toBe("ssh_no_method");
    expect(message).toContain("then wants password too");
  });

  it("a server with which there is no cipher in common", async () => {
    const strict = await server({ authorized: [key.publicLine], config: ["Ciphers 3des-cbc"] });
    expect(await refusal({ port: strict.port, hostKeys: strict.hostKeys })).toMatchObject({ code: "ssh_no_algorithm" });
  });
});
