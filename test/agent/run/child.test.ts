import { describe, expect, test } from "vitest";
import { type Child, child } from "../../../agent/run/child.ts";
import { Fault } from "../../../agent/run/fault.ts";
import { start } from "../../../agent/run/runner.ts";
import { sleep } from "../../../agent/run/sleep.ts";
import { until } from "../../support/until.ts";

function shell(script: string, more: Partial<Child> = {}) {
  const seen = { pid: 0, output: "" };
  const onSpawn = (pid: number) => {
    seen.pid = pid;
  };
  const onOutput = (chunk: string) => {
    seen.output += chunk;
  };
  const options = { command: "/bin/sh", args: ["-c", script], onSpawn, onOutput, ...more };
  return { seen, running: start(child("worker", options)) };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Fault) => error,
  );

const lives = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("a child", () => {
  test("is ready once it runs, and ends with the polite signal when it is stopped", async () => {
    const { seen, running } = shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    await running.ready;
    await until(() => seen.output.includes("up"), { what: "it is up" });
    await running.stop();
    expect(seen.output).toBe("up\nbye\n");
    expect(lives(seen.pid)).toBe(false);
    expect(await failure(running.exited)).toBeUndefined();
  });

  test("is killed when it does not listen to the polite signal", async () => {
    const { seen, running } = shell("trap '' TERM; echo up; while :; do sleep 0.01; done", { grace: 50 });
    await until(() => seen.output.includes("up"), { what: "it is up" });
    await running.stop();
    expect(lives(seen.pid)).toBe(false);
  });

  test("that ends unasked is a failure with its code and its last words", async () => {
    const { running } = shell("echo one; echo two >&2; exit 3");
    expect(await failure(running.exited)).toMatchObject({
      code: "child_exited",
      message: expect.stringMatching(/^worker ended with code 3: (one \| two|two \| one)$/),
    });
  });

  test("that ends unasked with success is a failure, too", async () => {
    const { running } = shell("exit 0");
    expect((await failure(running.exited))?.message).toBe("worker ended with code 0: it printed nothing");
  });

  test("that was killed is a failure with the signal's name", async () => {
    const { seen, running } = shell("sleep 60");
    await running.ready;
    process.kill(seen.pid, "SIGKILL");
    expect((await failure(running.exited))?.message).toContain("worker ended with SIGKILL");
  });

  test("that was killed is noticed although its own children hold its output open", async () => {
    const { seen, running } = shell("sleep 2 & echo up; wait");
    await until(() => seen.output.includes("up"), { what: "it is up" });
    const began = performance.now();
    process.kill(seen.pid, "SIGKILL");
    await failure(running.exited);
    expect(performance.now() - began).toBeLessThan(1800);
  });

  test("of a program that is not there is never ready, and the failure says what to do", async () => {
    const running = start(child("worker", { command: "/no/such/program", args: [] }));
    const error = await failure(running.ready);
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ code: "child_not_started", hint: expect.stringContaining("/no/such/program") });
    expect((await failure(running.exited))?.code).toBe("child_not_started");
  });

  test("is ready when its work can be seen, not before", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { running } = shell("sleep 60", { whenReady: () => promise });
    let ready = false;
    running.ready.then(() => {
      ready = true;
    });
    await sleep(30);
    expect(ready).toBe(false);
    resolve();
    await running.ready;
    await running.stop();
  });

  test("whose work never comes is killed with the reason", async () => {
    const whenReady = () => Promise.reject(new Error("it does not answer"));
    const { seen, running } = shell("sleep 60", { whenReady });
    expect((await failure(running.exited))?.message).toBe("it does not answer");
    await until(() => !lives(seen.pid), { what: "it is gone" });
  });

  test("gives up waiting for readiness when it dies", async () => {
    let given: AbortSignal | undefined;
    const whenReady = (stop: AbortSignal) => {
      given = stop;
      return new Promise<void>(() => {});
    };
    const { running } = shell("exit 1", { whenReady });
    await failure(running.exited);
    expect(given?.aborted).toBe(true);
  });

  test("is not started at all when it was stopped before", async () => {
    const { seen, running } = shell("echo up");
    await running.stop();
    expect(seen.pid).toBe(0);
  });
});
