import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { sleep } from "../../../agent/run/sleep.ts";

test("a sleep ends at once when the signal is aborted, before or meanwhile, and leaves nothing on it", async () => {
  const controller = new AbortController();
  await sleep(1, controller.signal);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  const long = sleep(60_000, controller.signal);
  controller.abort();
  await long;
  await sleep(60_000, controller.signal);
});
