import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bare, bareMachine, tool } from "../support/setup.ts";

interface Step {
  readonly name: string;
  done(): Promise<string | undefined> | string | undefined;
  act(): Promise<string>;
}
const { machineSteps } = await tool<{
  machineSteps: (given: { bin: string; pins: object; project: string }) => Step[];
}>("machineImage.mjs");

const pins = {
  "systemd-nspawn": { debian: "systemd-container", program: "/usr/bin/systemd-nspawn" },
  nft: { debian: "nftables", program: "/usr/sbin/nft" },
  mmdebstrap: { debian: "mmdebstrap", program: "/usr/bin/mmdebstrap" },
};

let machine: Bare;
let project: string;
let bin: string;
beforeEach(() => {
  machine = bareMachine();
  machine.link("sh", "mkdir", "cat", "chmod", "dirname", "readlink", "rm", "basename");
  project = join(machine.work, "project");
  bin = join(project, ".cache/tools/bin");
  mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
});
afterEach(() => machine.gone());

/** An apt and a dpkg whose packages have one program each, which says how it was started. */
function debian(): void {
  machine.script(
    "apt-get",
    `case "$*" in
  *--print-uris*) echo "'http://deb.test/x.deb' x.deb 10" ;;
  *"install -s"*) for last; do :; done; echo "Inst $last (1)" ;;
  *download*) for last; do :; done; echo deb > "$last.deb" ;;
esac`,
  );
  machine.script(
    "dpkg",
    `name=$(basename "$2" .deb)
case "$name" in systemd-container) path=/usr/bin/systemd-nspawn ;; nftables) path=/usr/sbin/nft ;; *) path=/usr/bin/$name ;; esac
mkdir -p "$3$(dirname $path)"; printf '#!/bin/sh\\necho "$LD_LIBRARY_PATH $PATH $*"\\n' > "$3$path"; chmod 755 "$3$path"`,
  );
}

/** A Node that does what the image's script would do. */
function node(body: string): void {
  machine.script("node", body);
  execFileSync("/bin/cp", [join(machine.work, "path/node"), join(project, "node_modules/.bin/node")]);
}

const step = (name: string): Step => {
  const found = machineSteps({ bin, pins, project }).find((each) => each.name === name);
  if (!found) throw new Error(`no step ${name}`);
  return found;
};
const output = (name: string) => execFileSync(join(bin, name), ["one"], { encoding: "utf8" });

describe("the programs of machines", () => {
  it("are unpacked where the machine has none, and find what lies beside them", async () => {
    debian();
    for (const name of Object.keys(pins)) {
      expect(await step(name).done()).toBeFalsy();
      expect(await step(name).act()).toContain("unpacked");
      expect(await step(name).done()).toBe("is there");
    }
    expect(output("systemd-nspawn")).toMatch(/-linux-gnu\/systemd .* one\n$/);
    expect(output("mmdebstrap")).toMatch(/mmdebstrap\/usr\/bin:.* one\n$/);
    expect(output("nft")).toContain("nftables/usr/lib");
  });

  it("are the machine's own where it has them", async () => {
    machine.script("nft", "exit 0");
    expect(await step("nft").done()).toBe("the machine's own");
  });
});

describe("the image of machines", () => {
  it.skipIf(process.getuid?.() !== 0)("is built by the project's Node unless it is there", async () => {
    const built = join(project, "built");
    node(
      `case "$2" in --there) [ -e ${built} ] && echo "is there: abc" || exit 3 ;; *) : >${built}; echo "built: abc" ;; esac`,
    );
    expect(await step("machine image").done()).toBeFalsy();
    expect(await step("machine image").act()).toBe("built: abc");
    expect(await step("machine image").done()).toBe("is there: abc");
  });

  it("that can't be built is told with the reason and the next step", async () => {
    node(`echo "the image could not be built: mmdebstrap: no network" >&2; echo "hint: check the network" >&2; exit 1`);
    await expect(step("machine image").act()).rejects.toMatchObject({
      message: "the image could not be built: mmdebstrap: no network",
      hint: "check the network",
    });
    expect(existsSync(join(project, "built"))).toBe(false);
  });

  it("is told of by the pins that set-up has", () => {
    const all = JSON.parse(readFileSync(new URL("../../tools/pins.json", import.meta.url), "utf8"));
    for (const [name, pin] of Object.entries(pins)) if (all[name]) expect(all[name]).toMatchObject(pin);
  });
});
