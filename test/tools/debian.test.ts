import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Bare, bareMachine, tool } from "../support/setup.ts";

const { fetchFromDebian } = await tool<{
  fetchFromDebian: (pin: { debian: string; program: string }, target: string) => Promise<string>;
}>("debian.mjs");
const pin = { debian: "greeter", program: "/usr/sbin/greeter" };

let machine: Bare;
let target: string;
beforeEach(() => {
  machine = bareMachine();
  machine.link("sh", "mkdir", "cat", "chmod", "dirname", "readlink", "rm");
  mkdirSync(join(machine.work, "bin"));
  target = join(machine.work, "bin", "greeter");
});
afterEach(() => machine.gone());

/** An apt and a dpkg that write down how they were called; `lists`: apt's own lists know the package. */
function debian({ lists, network = true }: { lists: boolean; network?: boolean }): void {
  machine.script(
    "apt-get",
    `echo "$*" >> ${machine.work}/calls
case "$*" in
  *--print-uris*) ${lists ? `echo "'http://deb.test/greeter.deb' greeter.deb 10"` : "exit 100"} ;;
  *update*) ${network ? ":" : "echo 'E: Failed to fetch http://deb.test  Connection refused' >&2; exit 100"} ;;
  *"install -s"*) echo "Inst libgreet (1)"; echo "Inst greeter (1)" ;;
  *download*) echo deb > libgreet.deb; echo deb > greeter.deb ;;
esac`,
  );
  machine.script(
    "dpkg",
    `mkdir -p "$3/usr/sbin"; printf '#!/bin/sh\\necho hello\\n' > "$3/usr/sbin/greeter"; chmod 755 "$3/usr/sbin/greeter"`,
  );
}
const calls = () => readFileSync(join(machine.work, "calls"), "utf8");

it("a package and what it needs are unpacked beside the program, which runs from there", async () => {
  debian({ lists: true });
  expect(await fetchFromDebian(pin, target)).toContain("unpacked");
  expect(execFileSync(target, { encoding: "utf8" })).toBe("hello\n");
  expect(calls()).toMatch(/download -q libgreet greeter/);
  expect(calls()).not.toContain("update");
});

it("where apt has no lists, lists of our own are fetched: the machine's stay as they are", async () => {
  debian({ lists: false });
  await fetchFromDebian(pin, target);
  const update = calls()
    .split("\n")
    .find((line) => line.includes("update"));
  expect(update).toContain(`Dir::State::lists=${machine.work}`);
  expect(execFileSync(target, { encoding: "utf8" })).toBe("hello\n");
});

it("without a network the reason is the network's, and nothing is left half made", async () => {
  debian({ lists: false, network: false });
  const error = await fetchFromDebian(pin, target).catch((cause: Error & { hint?: string }) => cause);
  expect(String(error)).toMatch(/greeter could not be fetched: .*Connection refused/);
  expect((error as { hint: string }).hint).toMatch(/check the network, or install greeter/);
  expect(existsSync(target)).toBe(false);
  expect(existsSync(join(machine.work, "greeter"))).toBe(false);
});

it("where there is no apt, the person is told what to install", async () => {
  await expect(fetchFromDebian(pin, target)).rejects.toThrow("this is no Debian or Ubuntu");
});
