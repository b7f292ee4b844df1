import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootIsOver, keysOnConsole } from "../../bootstrap/consoleKeys.ts";
import { algorithmsFor, type HostKey, describe as inWords, readHostKey } from "../../bootstrap/hostKey.ts";
import { knownLines, lookUp, nameOf } from "../../bootstrap/knownHosts.ts";
import { consoleBlock, hostKeyIn, type KeyPair, keyPair, sshTool } from "../support/sshd.ts";

let work: string;
let pairs: Record<"ed25519" | "ecdsa" | "rsa" | "other", KeyPair>;
let keys: Record<keyof typeof pairs, HostKey>;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "tutti-keys-"));
  const one = (name: string, kind = name) => keyPair(work, name, { kind });
  pairs = { ed25519: one("ed25519"), ecdsa: one("ecdsa"), rsa: one("rsa"), other: one("other", "ed25519") };
  keys = Object.fromEntries(
    Object.entries(pairs).map(([name, pair]) => [name, hostKeyIn(pair.publicLine)]),
  ) as typeof keys;
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe("a host key", () => {
  it("has the fingerprint that ssh-keygen prints", () => {
    for (const name of ["ed25519", "ecdsa", "rsa"] as const) {
      const said = execFileSync(sshTool("ssh-keygen"), ["-lf", `${pairs[name].file}.pub`], { encoding: "utf8" });
      expect(said).toContain(keys[name].fingerprint);
    }
    expect(inWords(keys.ecdsa)).toBe(`${keys.ecdsa.fingerprint} (ECDSA)`);
  });

  it("is none when a single character of it is missing, wherever", () => {
    const { type, blob } = keys.ed25519;
    expect(readHostKey(type, blob)).toEqual(keys.ed25519);
    for (let at = 0; at < blob.length; at++) {
      expect(readHostKey(type, blob.slice(0, at) + blob.slice(at + 1))).toBeUndefined();
      expect(readHostKey(type, blob.slice(0, at))).toBeUndefined();
    }
  });

  it("is none under the name of another kind, nor of a kind that nobody should use", () => {
    expect(readHostKey("ssh-rsa", keys.ed25519.blob)).toBeUndefined();
    expect(readHostKey("ssh-dss", keys.rsa.blob)).toBeUndefined();
    expect(readHostKey("ssh-ed25519", `${keys.ed25519.blob}AAAA`)).toBeUndefined();
  });

  it("is asked for by its own algorithms only, and by RSA never with SHA-1", () => {
    expect(algorithmsFor([keys.ed25519])).toEqual(["ssh-ed25519"]);
    expect(algorithmsFor([keys.rsa, keys.ecdsa])).toEqual(["ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]);
    expect(algorithmsFor([])).toEqual([]);
  });
});

describe("keys on a console", () => {
  it("are found between what the kernel, cloud-init and colours have to say", () => {
    const text = [
      "[    0.000000] Linux version 6.1.0",
      "<14>Nov 23 17:00:00 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----",
      `<14>Nov 23 17:00:00 cloud-init: 256 ${keys.other.fingerprint} root@ip (ED25519)`,
      "<14>Nov 23 17:00:00 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----",
      consoleBlock([keys.ecdsa, keys.ed25519, keys.rsa]),
      "tutti-boot: {}",
    ].join("\r\n");
    expect(keysOnConsole(text)).toEqual([keys.ecdsa, keys.ed25519, keys.rsa]);
  });

  it("are found behind the clock that systemd puts in front of each line", () => {
    const text = consoleBlock([keys.ed25519]).replaceAll(/^(?=.)/gm, "[   12.345678] cloud-init[512]: ");
    expect(keysOnConsole(text)).toEqual([keys.ed25519]);
  });

  it("are none while the block has no end, wherever the console is cut", () => {
    const whole = consoleBlock([keys.ed25519]).trimEnd();
    expect(keysOnConsole(whole)).toHaveLength(1);
    for (let length = 0; length < whole.length; length++) expect(keysOnConsole(whole.slice(0, length))).toEqual([]);
  });

  it("are none when the beginning has scrolled away", () => {
    expect(keysOnConsole(consoleBlock([keys.ed25519]).slice(1))).toEqual([]);
  });

  it("leave out a line that the kernel has spoken into, and keep the whole ones", () => {
    const torn = `${keys.ed25519.type} ${keys.ed25519.blob.slice(0, 20)}[   20.1] audit: type=1400${keys.ed25519.blob.slice(20)}`;
    const text = consoleBlock([keys.ecdsa]).replace("\r\n-----END", `\r\n${torn} root@ip\r\n-----END`);
    expect(keysOnConsole(text)).toEqual([keys.ecdsa]);
  });

  it("are those of the newest whole block when a machine got new ones", () => {
    const text = consoleBlock([keys.other]) + consoleBlock([keys.ed25519]) + consoleBlock([keys.rsa]).slice(0, 60);
    expect(keysOnConsole(text)).toEqual([keys.ed25519]);
  });

  it("are told once when the block is there twice, or in itself again", () => {
    const block = consoleBlock([keys.ed25519, keys.ed25519]);
    expect(keysOnConsole(block + block)).toEqual([keys.ed25519]);
    const begun = consoleBlock([keys.other]).split("-----END")[0] ?? "";
    expect(keysOnConsole(begun + block)).toEqual([keys.ed25519]);
  });

  it("will not come any more once the boot is over", () => {
    expect(bootIsOver("cloud-init[1]: Cloud-init v. 22.4.2 finished at Mon")).toBe(true);
    expect(bootIsOver('tutti-boot-result: {"boot":"x","state":"done","step":"ready"}')).toBe(true);
    expect(bootIsOver('tutti-boot-result: {"boot":"x","state":"running","step":"entry"}')).toBe(false);
    expect(bootIsOver("")).toBe(false);
  });
});

describe("known hosts", () => {
  const line = (names: string, pair: KeyPair) => `${names} ${pair.publicLine}\n`;

  it("are found by name, by address, and by name and port", () => {
    const text = line("box.example,10.0.0.1", pairs.ed25519) + line("[box.example]:2222", pairs.other);
    expect(lookUp(text, ["box.example"]).keys).toEqual([keys.ed25519]);
    expect(lookUp(text, ["10.0.0.1"]).keys).toEqual([keys.ed25519]);
    expect(lookUp(text, [nameOf("BOX.example", 2222)]).keys).toEqual([keys.other]);
    expect(lookUp(text, ["box"]).keys).toEqual([]);
  });

  it("are found where OpenSSH has hashed their names", () => {
    const file = join(work, "hashed");
    execFileSync("sh", [
      "-c",
      'printf %s "$1" >"$2" && "$3" -q -H -f "$2" 2>/dev/null',
      "-",
      line("[10.1.1.1]:2200", pairs.rsa),
      file,
      sshTool("ssh-keygen"),
    ]);
    const text = execFileSync("cat", [file], { encoding: "utf8" });
    expect(text).toMatch(/^\|1\|/);
    expect(lookUp(text, [nameOf("10.1.1.1", 2200)]).keys).toEqual([keys.rsa]);
    expect(lookUp(text, [nameOf("10.1.1.1", 22)]).keys).toEqual([]);
  });

  it("follow patterns, and their exceptions", () => {
    const text = line("*.example,!bad.example,10.0.0.?", pairs.ed25519);
    expect(lookUp(text, ["a.example"]).keys).toHaveLength(1);
    expect(lookUp(text, ["10.0.0.7"]).keys).toHaveLength(1);
    expect(lookUp(text, ["bad.example"]).keys).toEqual([]);
    expect(lookUp(text, ["10.0.0.70"]).keys).toEqual([]);
    expect(lookUp(text, ["aXexample"]).keys).toEqual([]);
  });

  it("never give a key that was revoked, even where another line has it", () => {
    const text = `${line("box", pairs.ed25519)}@revoked * ${pairs.ed25519.publicLine}\n${line("box", pairs.other)}`;
    expect(lookUp(text, ["box"])).toEqual({ keys: [keys.other], revoked: [keys.ed25519] });
  });

  it("pass over comments, authorities and lines that are torn", () => {
    const text = `# a word\n\n@cert-authority * ${pairs.rsa.publicLine}\nbox ssh-ed25519\nbox ${pairs.other.publicLine.slice(0, 40)}\n`;
    expect(lookUp(text, ["box"])).toEqual({ keys: [], revoked: [] });
  });

  it("are written so that OpenSSH finds them too", () => {
    const file = join(work, "ours");
    execFileSync("sh", ["-c", 'cat >"$1"', "-", file], { input: knownLines("i-0abc", [keys.ed25519, keys.ecdsa]) });
    const said = execFileSync(sshTool("ssh-keygen"), ["-F", "i-0abc", "-l", "-f", file], { encoding: "utf8" });
    expect(said).toContain(keys.ed25519.fingerprint);
    expect(said).toContain(keys.ecdsa.fingerprint);
  });
});
