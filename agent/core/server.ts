import { chmod, mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dial } from "../bus/nats.ts";
import { publicKeyOf } from "../bus/nkeys.ts";
import { permissions } from "../bus/permissions.ts";
import { subjects } from "../bus/subjects.ts";
import { child } from "../run/child.ts";
import { type Log, silent } from "../run/log.ts";
import { restart } from "../run/restart.ts";
import type { Runner } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { jetstreamAnswers } from "../store/jetstream.ts";
import { type CoreCredentials, parties } from "./keys.ts";
import { type ServerUser, serverConfig } from "./serverConfig.ts";

export interface ServerOptions {
  /** Path of nats-server. */
  program: string;
  index: number;
  address: string;
  port: number;
  home: string;
  beat: number;
  credentials: CoreCredentials;
  deaId?: string;
  monitor?: number;
  trace?: string;
  /** Told of each start. */
  onSpawn: (pid: number) => void;
  log: Log;
}

/** Where the server's files are. */
export function serverFiles(home: string): { config: string; pid: string; store: string } {
  return { config: join(home, "nats.conf"), pid: join(home, "nats.pid"), store: join(home, "jetstream") };
}

/** nats-server as a child that comes back when it is killed. Ready when it lets us in and its JetStream answers. */
export function server(options: ServerOptions): Runner {
  const { program, home, beat, log } = options;
  const { config } = serverFiles(home);
  const one = child("nats-server", {
    command: program,
    args: ["-c", config],
    onOutput: relay(log),
    onSpawn: options.onSpawn,
    whenReady: (stop) => answering(options, stop),
  });
  return onceUp(one, { minDelay: beat / 20, maxDelay: 5 * beat, log });
}

interface OnceUp {
  minDelay: number;
  maxDelay: number;
  log: Log;
}

/** Starts it again whenever it ends, but only after it was ready once: what fails from the beginning is a person's affair. */
function onceUp(runner: Runner, { log, ...delays }: OnceUp): Runner {
  return {
    name: runner.name,
    async run(stop, ready) {
      const [given, state] = [new AbortController(), { up: false, reason: undefined as Error | undefined }];
      const noticed: Runner = {
        name: runner.name,
        run: (halt, tell) =>
          runner.run(halt, () => {
            state.up = true;
            tell();
          }),
      };
      const onExit = (error: Error | undefined, delay: number) => {
        log.error({ error: error?.message, delay }, "nats-server ended unasked");
        if (state.up) return;
        state.reason = error;
        given.abort();
      };
      await restart(noticed, { ...delays, onExit }).run(AbortSignal.any([stop, given.signal]), ready);
      if (state.reason && !stop.aborted) throw state.reason;
    },
  };
}

/** Writes the configuration, readable by nobody else: it holds the watch password. */
export async function writeServerConfig(options: ServerOptions): Promise<void> {
  const { home, index, address, port, monitor, trace } = options;
  const files = serverFiles(home);
  await mkdir(files.store, { recursive: true, mode: 0o700 });
  if (trace) await (await open(trace, "a", 0o600)).close();
  const name = `core-${index}`;
  const text = { name, address, port, store: files.store, pidFile: files.pid, users: users(options), monitor, trace };
  await writeFile(files.config, serverConfig(text), { mode: 0o600 });
  await chmod(files.config, 0o600);
}

function users({ credentials, deaId }: ServerOptions): ServerUser[] {
  const ours = parties.map((party) => ({
    who: { nkey: publicKeyOf(credentials.seeds[party]) },
    permissions: permissions(subjects, party, { deaId }),
  }));
  return [...ours, { who: credentials.watch, permissions: permissions(subjects, "watch") }];
}

async function answering({ address, port, credentials }: ServerOptions, stop: AbortSignal): Promise<void> {
  const servers = `nats://${address}:${port}`;
  const seed = credentials.seeds.core;
  const { connection, close } = await dial({ servers, name: "core-readiness", user: "core", seed, log: silent, stop });
  try {
    while (!stop.aborted && !(await jetstreamAnswers(connection))) await sleep(20, stop);
  } finally {
    await close();
  }
}

/** The server's own lines in our log: `[1] 2026/11/23 16:00:00.000000 [WRN] text`. */
function relay(log: Log): (chunk: string) => void {
  return (chunk) => {
    for (const line of chunk.split("\n").filter(Boolean)) {
      const [, level, text = line] = /\[(\w{3})\] (.*)$/.exec(line) ?? [];
      // We know that the watch password stands in the file: it is readable by us alone.
      const serious =
        (level === "ERR" || level === "FTL" || level === "WRN") && !text.startsWith("Plaintext passwords");
      log[serious ? "warn" : "debug"]({ from: "nats-server" }, text);
    }
  };
}
