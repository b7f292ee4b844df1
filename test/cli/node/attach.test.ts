import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Attachable, attachable, bundleWith, claim, up } from "../../support/attachable.ts";
import { smallBundle } from "../../support/cloudinit.ts";

// Real ssh to a machine whose root is a directory, a real API, the real boot script.

let our: Attachable;
let agent: string;
beforeEach(async () => {
  our = await attachable();
  agent = our.bundle(smallBundle());
});
afterEach(() => our.gone());

const attach = (more = "") =>
  our.tutti(`node attach ${our.address} --role dea --name shelf-0 --address 127.0.0.1 --bundle ${agent} ${more}`);
const text = (path: string) => readFileSync(our.machine.path(path), "utf8");

describe("a machine that is not on EC2", { timeout: 60_000 }, () => {
  it("becomes a node by the same steps, with what nobody on it could find out told by hand", async () => {
    const ran = await attach("--zone cellar --json");
    expect(ran.err).toMatch(/✓ shelf-0: agent 0\.1\.0-\w{12} brought .*\n✓ shelf-0: birth and boot script written\n/);
    expect(ran.err).toMatch(/✓ shelf-0: units +\d.*\n(✓ shelf-0: .*\n)+✓ shelf-0: ready +\d/);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.json()).toMatchObject({
      ok: true,
      node: "shelf-0",
      address: "127.0.0.1",
      roles: ["dea"],
      changed: true,
    });
    expect(our.machine.node()).toMatchObject({ id: "shelf-0", cluster: "trio", address: "127.0.0.1", zone: "cellar" });
    expect(our.asked).toEqual(["claim shelf-0 dea"]);
    expect(
      our.machine
        .journal()
        .find(({ name }) => name === "facts")
        ?.lines.join(),
    ).toContain("0123456789abcdef");
    expect(our.machine.metadata.state.asked).toEqual([]);
  });

  it("keeps its claim to itself", async () => {
    const { out, err } = await attach();
    expect(`${out}${err}${JSON.stringify(our.machine.journal())}`).not.toContain(claim.secret);
    expect(statSync(our.machine.path("etc/tutti/birth.json")).mode & 0o777).toBe(0o600);
    expect(our.sshd.log()).not.toContain(claim.secret);
  });

  it("is a node for good: the boot script finds the same at its next boot, without anybody's help", async () => {
    await attach();
    const { code } = await our.machine.boot();
    expect(code).toBe(0);
    expect(our.machine.metadata.state.asked).toEqual([]);
  });

  it("is not made one twice: a second time there is nothing to do", async () => {
    await attach();
    const ran = await attach("--json");
    expect(ran.json()).toMatchObject({ ok: true, changed: false });
    expect(our.asked).toHaveLength(1);
  });

  it("is looked at and left alone with --plan", async () => {
    const { code, out } = await attach("--plan");
    expect(code).toBe(2);
    expect(out).toMatch(
      /^127\.0\.0\.1 becomes the node shelf-0 of trio, at 127\.0\.0\.1:\n {2}get a claim for shelf-0 with dea/,
    );
    expect(our.asked).toEqual([]);
    expect(existsSync(our.machine.path("etc/tutti"))).toBe(false);
  });

  it("whose boot fails says at which step and why; mended, the same again goes on from there", async () => {
    our.machine.breaks("systemctl restart", "Failed to restart tutti.service: Unit not found.");
    const { code, err } = await attach();
    expect(code).toBe(1);
    expect(err).toMatch(/✗ shelf-0: start/);
    expect(err).toMatch(
      /error: the boot of shelf-0 failed at the step start \(exit \d+\)\n {4}\| Failed to restart tutti/,
    );
    expect(err).toMatch(/hint: mend it and run the same again.*tutti node explain shelf-0/);
    our.machine.breaks("systemctl restart");
    expect((await attach()).code).toBe(0);
  });

  it("that the cluster does not hear is no node yet, and that is said", async () => {
    our.deaf = true;
    const { code, err } = await attach("--within 5");
    expect(code).toBe(1);
    expect(err).toContain("shelf-0 is ready by its own word, but the cluster says: not heard of");
  });
});

describe("a machine that cannot become a node", { timeout: 60_000 }, () => {
  it("has the name of another, or is the node of another cluster", async () => {
    our.others.push(up("shelf-0", ["dea"]));
    expect((await attach()).err).toMatch(
      /error: there is a node shelf-0 already, on another machine\nhint: .*--name NAME/,
    );
    our.machine.born((await import("../../support/cloudinit.ts")).birthOf());
    writeFileSync(our.machine.path("etc/tutti/node.json"), '{\n  "id": "old-0",\n  "cluster": "former"\n}\n');
    expect((await attach()).err).toMatch(
      /cannot become a node: it is the node old-0 of the cluster former\nhint: remove it there first/,
    );
  });

  it("has no name of its own", async () => {
    writeFileSync(our.machine.path("etc/machine-id"), "");
    expect((await attach()).err).toMatch(/machine-id is empty\nhint: systemd-machine-id-setup/);
  });

  it("gets a bundle for another processor: nothing of it stays", async () => {
    writeFileSync(agent, bundleWith({ "bundle.json": '{"architecture": "riscv"}' }));
    const { err } = await attach();
    expect(err).toMatch(/error: the step deliver ended with code 1: the bundle is for riscv, this machine is/);
    expect(readdirSync(our.machine.path("opt/tutti"))).toEqual([]);
    expect(our.machine.calls()).not.toContain("systemctl daemon-reload");
    expect(text("etc/machine-id")).toContain("0123");
  });
});

describe("a command line that is wrong", { timeout: 60_000 }, () => {
  const say = async (line: string) => {
    const { code, err } = await our.tutti(line);
    return { code, err };
  };

  it.each([
    ["node attach somewhere --role deaa", 64, /error: there is no role deaa\nhint: did you mean dea\?/],
    ["node attach somewhere", 64, /error: which roles shall it have\?\nhint: e\.g\. --role dea/],
    ["node attach somewhere --role mysql", 64, /error: mysql cannot be run yet/],
    ["node attach somewhere --role core", 64, /error: a core cannot be attached.*\nhint: declare it in cluster\.yaml/],
    ["node attach a@b@c --role dea", 64, /error: "a@b@c" is no machine\nhint: write user@host/],
    ["node attach me@127.0.0.1:1 --role dea", 5, /error: ssh port closed: 127\.0\.0\.1 port 1 refuses connections/],
  ])("%s", async (line, code, words) => {
    const said = await say(line);
    expect(said.err).toMatch(words);
    expect(said.code).toBe(code);
  });

  it("names a key file that is none", async () => {
    const file = join(our.me.home, "nothing");
    const { err } = await our.me.tutti(["node", "attach", our.address, "--role", "dea", "--identity", file]);
    expect(err).toMatch(/nothing cannot be read.*\nhint: --identity FILE names a private key/);
  });
});
