import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { interrupts } from "../../../cli/solo/interrupt.ts";

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
])("%s ends what is under way with the exit code of the signal: %i", async (signal, exit) => {
  const source = new EventEmitter();
  const { guard, stop } = interrupts(source);
  const waiting = guard(new Promise(() => {}));
  source.emit(signal, signal);
  await expect(waiting).rejects.toMatchObject({ code: "interrupted", exit });
  expect(stop.aborted).toBe(true);
});

it("said again it changes nothing, and what is begun afterwards is ended at once", async () => {
  const source = new EventEmitter();
  const { guard } = interrupts(source);
  source.emit("SIGINT", "SIGINT");
  source.emit("SIGTERM", "SIGTERM");
  await expect(guard(new Promise(() => {}))).rejects.toMatchObject({ exit: 130 });
});

it("what comes to its end is as if nothing had watched it, and the signals are given back", async () => {
  const source = new EventEmitter();
  const { guard, release } = interrupts(source);
  expect(await guard(Promise.resolve("done"))).toBe("done");
  release();
  expect(source.eventNames()).toEqual([]);
});
