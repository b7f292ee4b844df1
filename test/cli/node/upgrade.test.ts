import { existsSync, globSync, readFileSync, readlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Attachable, attachable, bundleWith, up } from "../../support/attachable.ts";
import { smallBundle } from "../../support/cloudinit.ts";

// A node that was attached gets other agents: real ssh, the real boot script, an agent that says that it is ready.

let our: Attachable;
let first: string;
beforeEach(async () => {
  our = await attachable();
  first = our.bundle(smallBundle());
  const ran = await our.tutti(
    `node attach ${our.address} --role dea --name shelf-0 --address 127.0.0.1 --bundle ${first}`,
  );
  if (ran.code !== 0) throw new Error(ran.err);
});
afterEach(() => our.gone());

const named = (file: string) => /tutti-agent-(0\.1\.0)-\w+-(\w{12})/.exec(file)?.slice(1).join("-");
const current = () => readlinkSync(our.machine.path("opt/tutti/current"));
const pid = () => Number(readFileSync(our.machine.path("agent.pid"), "utf8"));
const kept = () => globSync("{etc,usr}/**/*.before", { cwd: our.machine.root });
const upgrade = (more: string) => our.tutti(`node upgrade shelf-0 --yes ${more}`);
const good = () => our.bundle(bundleWith({ "agent/news.txt": "better" }));
/** Its agent never says a word. */
const mute = () => our.bundle(bundleWith({ "agent/main.mjs": "setInterval(() => {}, 1000);" }));

describe("an upgrade", { timeout: 90_000 }, () => {
  it("brings the new agent beside the old one, switches the link, and starts the agent alone anew", async () => {
    our.members.push({ id: "shelf-0", roles: ["dea"], address: "127.0.0.1", instance: "x", instances: 3 });
    const [before, next] = [pid(), good()];
    const ran = await upgrade(`--to ${next} --json`);
    expect(ran.err).toMatch(/One node after the other; .*\n {3}1 {2}shelf-0 {2}0\.1\.0-\w{12} → 0\.1\.0-\w{12}/);
    expect(ran.err).toMatch(/✓ shelf-0: uses 0\.1\.0-\w{12}, 3 instances go on\n/);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.json()).toMatchObject({ ok: true, upgraded: ["shelf-0"] });
    expect(current()).toBe(named(next));
    expect(existsSync(our.machine.path(`opt/tutti/${named(first)}/bin/node`))).toBe(true);
    expect(pid()).not.toBe(before);
    expect(kept()).toEqual([]);
  });

  it("lasts: the next boot of the machine uses the same agent", async () => {
    const next = good();
    await upgrade(`--to ${next}`);
    expect((await our.machine.boot()).code).toBe(0);
    expect(current()).toBe(named(next));
  });

  it("to what is there already has nothing to do", async () => {
    const { code, out } = await upgrade(`--to ${first}`);
    expect({ code, out }).toEqual({ code: 0, out: "nothing to do: every node uses this agent already\n" });
  });

  it("is only shown with --plan", async () => {
    const { code, out } = await our.tutti(`node upgrade --to ${good()} --plan --host ${our.address} shelf-0`);
    expect(code).toBe(2);
    expect(out).toMatch(/1 {2}shelf-0 .* → .*; for some seconds nobody is dea\n$/);
    expect(current()).toBe(named(first));
  });

  it("that does not become healthy is switched back, and says why", async () => {
    const ran = await upgrade(`--to ${mute()} --within 5`);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/✗ shelf-0: ready/);
    expect(ran.err).toMatch(
      /✗ shelf-0: the boot of shelf-0 failed at the step ready \(exit 1\): back to 0\.1\.0-\w{12}\n/,
    );
    expect(ran.err).toMatch(
      /error: shelf-0 did not become healthy with 0\.1\.0-\w{12}, and is back at 0\.1\.0-\w{12}: /,
    );
    expect(current()).toBe(named(first));
    expect(kept()).toEqual([]);
    expect((await our.machine.boot()).code).toBe(0);
    expect(current()).toBe(named(first));
  });

  it("that was cut off in the middle goes on where it stopped", async () => {
    const next = good();
    const killed = await our.tutti(`node upgrade shelf-0 --yes --to ${next}`, {
      during: (child) =>
        child.stderr?.on("data", (chunk) => String(chunk).includes("agent 0.1.0") && child.kill("SIGKILL")),
    });
    expect(killed.code).toBe(null);
    const ran = await upgrade(`--to ${next}`);
    expect(ran.code).toBe(0);
    expect(ran.err).not.toContain("brought");
    expect(current()).toBe(named(next));
  });

  it("is not begun while another node of the role is not well", async () => {
    our.others.push(up("shelf-1", ["dea"], { state: "LOST" }));
    const { code, err } = await upgrade(`--to ${good()}`);
    expect(code).toBe(1);
    expect(err).toMatch(
      /error: nothing was changed:\n {2}the role dea would not be covered without shelf-0: shelf-1 \(lost\) must be well first\nhint: /,
    );
    expect(current()).toBe(named(first));
  });

  it("looks at every machine before it changes one", async () => {
    our.others.push(up("shelf-1", ["dea"], { address: "127.0.0.1" }));
    const { code, err } = await our.tutti(`node upgrade --yes --to ${good()}`);
    expect(code).toBe(1);
    expect(err).toMatch(/error: nothing was changed, as not every machine is fit for it:\n {2}lead-0: /);
    expect(current()).toBe(named(first));
  });

  it("wants a node that there is, and somebody to ask", async () => {
    expect((await our.tutti("node upgrade shelf-9 --yes")).err).toMatch(
      /no node shelf-9\nhint: did you mean shelf-0\?/,
    );
    const { code, err } = await our.tutti(`node upgrade shelf-0 --to ${good()}`);
    expect(code).toBe(64);
    expect(err).toMatch(/no terminal to ask at .*\nhint: the same with --yes; --plan/);
  });
});
