import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/run/fault.ts";
import type { Log } from "../../agent/run/log.ts";
import { type Runner, stopped } from "../../agent/run/runner.ts";
import { netnsPath, spaces } from "./layout.ts";
import type { Said, Told } from "./metadata/told.ts";

export interface Services {
  readonly runner: Runner;
  /** What there is from now on. May be called before it runs. */
  tell(told: Told): void;
}

export interface ServicesOptions {
  readonly log: Log;
  /** Told of each question that machines asked. */
  readonly onSaid?: (said: Said) => void;
}

const main = fileURLToPath(new URL("metadata/main.ts", import.meta.url));

/** Metadata, addresses and names, by a process in the router's network namespace, where their ports are free. */
export function services({ log, onSaid }: ServicesOptions): Services {
  let last: Told = { hosts: [], names: {} };
  let input: ChildProcess["stdin"] = null;
  const runner: Runner = {
    name: "metadata service",
    async run(stop, ready) {
      const args = [`--net=${netnsPath(spaces.router)}`, process.execPath, main];
      const proc = spawn("nsenter", args, { stdio: ["pipe", "pipe", "pipe"] });
      const ended = once(proc, "exit");
      ended.catch(() => {});
      // It may end while we tell it something.
      proc.stdin.on("error", () => {});
      proc.stderr.setEncoding("utf8").on("data", (text: string) => log.warn({ text: text.trim() }, "metadata service"));
      createInterface({ input: proc.stdout }).on("line", (line) => {
        const said = JSON.parse(line) as Said;
        if (said.said === "ready") ready();
        else onSaid?.(said);
      });
      input = proc.stdin;
      write(input, last);
      await Promise.race([ended, stopped(stop)]);
      input = null;
      if (!stop.aborted) throw new Fault(`the metadata service ended with ${proc.exitCode}`, { code: "child_exited" });
      proc.stdin.end();
      await ended;
    },
  };
  return {
    runner,
    tell(told) {
      last = told;
      if (input) write(input, told);
    },
  };
}

const write = (input: NonNullable<ChildProcess["stdin"]>, told: Told) => input.write(`${JSON.stringify(told)}\n`);
