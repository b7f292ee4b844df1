import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { thriftily } from "../../../agent/store/thrift.ts";

const mib = 1024 ** 2;

/** Half a GiB in pieces of which each is of use for a moment. Resolves to the most MiB that lay about meanwhile. */
async function flow(): Promise<number> {
  const before = process.memoryUsage().external;
  const inUse: Buffer[] = [];
  let most = 0;
  for (let passed = 0; passed < 512 * mib; passed += 64 * 1024) {
    inUse.push(Buffer.allocUnsafeSlow(64 * 1024));
    if (inUse.length > 32) inUse.shift();
    most = Math.max(most, process.memoryUsage().external - before);
    if (passed % mib === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    else await turn();
  }
  return most / mib;
}

test("bytes that stream through lie about for a moment only, other than by themselves", async () => {
  const byThemselves = await flow();
  const spared = await thriftily(flow);
  expect(spared).toBeLessThan(24);
  expect(spared).toBeLessThan(byThemselves);
});

test("what fails goes on failing", async () => {
  await expect(thriftily(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
});
