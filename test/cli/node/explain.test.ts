import { describe, expect, it } from "vitest";
import { painter } from "../../../cli/io.ts";
import { explainText, standingOf } from "../../../cli/node/explainText.ts";
import { fromConsole, fromController, fromMachine, type Receipts } from "../../../cli/node/receipts.ts";
import type { BootStep } from "../../../cloudinit/journal.ts";

const step = (name: string, more: Partial<BootStep> = {}): BootStep => ({
  ...{ boot: "b2", name, input: "0123456789abcdef", exit: 0, ms: 1234, at: "2026-01-01T10:00:00Z", lines: [] },
  ...more,
});
const onConsole = (one: BootStep) => `[   12.3] cloud-init[512]: tutti-boot: ${JSON.stringify(one)}\r`;
const result = (state: string, name: string, exit: number) =>
  `tutti-boot-result: ${JSON.stringify({ boot: "b2", state, step: name, exit, at: "2026-01-01T10:00:09Z" })}`;
const now = Date.parse("2026-01-01T10:00:14Z");
const text = (receipts: Receipts) => explainText(receipts, { node: "work-0", paint: painter(false), now });

const broken = [
  "Debian GNU/Linux 12 ip-10-20-0-4 ttyS0",
  onConsole(step("units", { boot: "b1" })),
  onConsole(step("packages", { boot: "b1" })),
  onConsole(step("units")),
  onConsole(step("bundle", { exit: 1, ms: 12_400, lines: ["try 1 of 4 failed: fetch", "no source has the agent"] })),
  result("failed", "bundle", 1),
].join("\n");

describe("a machine that never became a node, by its console", () => {
  it("is told by the step that failed first: its lines, what to do, then everything in order", () => {
    expect(text(fromConsole(broken))).toBe(
      [
        "work-0 failed at the step bundle (exit 1), 14s ago (says its console, boot 2 of those it remembers)",
        "",
        "  | try 1 of 4 failed: fetch",
        "  | no source has the agent",
        "next: can it reach the bucket, and is the bundle for its processor? Mend it, then on the machine: systemctl restart tutti-boot",
        "",
        "STEP    END     TIME    INPUT             AT",
        "units   ok      1.23 s  0123456789abcdef  2026-01-01T10:00:00Z",
        "bundle  exit 1  12.4 s  0123456789abcdef  2026-01-01T10:00:00Z",
      ].join("\n"),
    );
  });

  it("is on its way as long as it says nothing of an end", () => {
    const receipts = fromConsole(onConsole(step("units")));
    expect(standingOf(receipts)).toBe("booting");
    expect(text(receipts)).toMatch(/^work-0 is on its way: units was the last step so far \(says its console\)/);
  });

  it("has told nothing when nothing of ours is on the console", () => {
    expect(text(fromConsole("Booting …"))).toBe("work-0 has told nothing of itself yet (says its console)");
  });

  it("was mended and is gone through anew: what failed is history", () => {
    const receipts = fromConsole(`${broken}\n${onConsole(step("bundle", { at: "2026-01-01T10:00:12Z" }))}`);
    expect([standingOf(receipts), receipts.result, receipts.steps.map(({ exit }) => exit)]).toEqual([
      "booting",
      undefined,
      [0, 0],
    ]);
  });

  it("whose script ended outside of any step is told so", () => {
    expect(text(fromConsole(result("failed", "entry", 143)))).toMatch(/fails: the boot script itself ended with 143/);
  });
});

describe("a machine that is asked itself", () => {
  const told = (parts: Record<string, string[]>) =>
    Object.entries(parts)
      .flatMap(([name, lines]) => [`== ${name}`, ...lines])
      .join("\n");
  const facts = ["id work-0", "current 0.1.0-aaaaaaaaaaaa", "boot b2", "agent active"];
  const since = now / 1000 - 185;

  it("tells of its agent's parts, those that fail with why and what to do", () => {
    const components = [
      { name: "dea", state: "ready", since },
      { name: "router", state: "failing", since, reason: "port 80 is in use", hint: "stop what listens there" },
    ];
    const shown = text(
      fromMachine(
        told({
          facts,
          journal: [JSON.stringify(step("units"))],
          result: [JSON.stringify({ boot: "b2", state: "failed", step: "ready", exit: 1, at: "2026-01-01T10:00:09Z" })],
          status: [JSON.stringify({ pid: 1, components })],
          log: ["a component ended unasked"],
        }),
      ),
    );
    expect(shown).toMatch(/^work-0 fails: router \(port 80 is in use\) \(says the machine itself, agent 0\.1\.0-a+\)/);
    expect(shown).toContain("next: stop what listens there");
    expect(shown).toMatch(/\nrouter +failing +3m 5s +port 80 is in use; stop what listens there\n/);
    expect(shown).toMatch(/The agent's last words:\n {2}\| a component ended unasked$/);
  });

  it("names the step that is under way, with what it says", () => {
    const running = { facts, journal: [JSON.stringify(step("units"))], running: ["packages", "Get:1 http://deb …"] };
    const shown = text(fromMachine(told({ ...running, result: ['{"boot":"b2","state":"running"}'], status: [""] })));
    expect(shown).toMatch(/^work-0 is on its way: at the step packages .*\n\n {2}\| Get:1 http:\/\/deb …\n/);
  });

  it("is ready when its agent says so", () => {
    const status = [JSON.stringify({ pid: 1, components: [{ name: "dea", state: "ready", since }] })];
    const receipts = fromMachine(told({ facts, journal: [], status, log: ["noise"] }));
    expect(standingOf(receipts)).toBe("ready");
    expect(text(receipts)).not.toContain("noise");
  });

  it("that is no node tells nothing, and nothing breaks", () => {
    expect(standingOf(fromMachine(""))).toBe("silent");
    expect(standingOf(fromMachine("== journal\n{torn\n== status\nnot json\n"))).toBe("silent");
  });
});

it("tells what the controller has heard where nobody else can be asked", () => {
  const receipts = fromController([{ name: "dea", state: "starting", since: now / 1000 - 3, reason: "no bus" }]);
  expect(text(receipts)).toBe(
    "work-0 is on its way: waiting for dea (says the controller)\n\nCOMPONENT  STATE     FOR  WHY\ndea        starting  3s   no bus",
  );
});
