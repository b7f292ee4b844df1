import { dial } from "../bus/nats.ts";
import { child } from "../run/child.ts";
import { type Log, silent } from "../run/log.ts";
import { restart } from "../run/restart.ts";
import type { Runner } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { jetstreamAnswers } from "../store/jetstream.ts";
import type { CoreCredentials } from "./keys.ts";

export interface ServerOptions {
  /** Path of nats-server. */
  program: string;
  /** Path of its configuration. */
  config: string;
  url: string;
  /** PEM, in a cluster of several machines: there the store answers only when enough cores are there. */
  ca: string | undefined;
  beat: number;
  credentials: CoreCredentials;
  /** Told of each start. */
  onSpawn: (pid: number) => void;
  /** Told when it lets us in. */
  onUp: () => void;
  onOutput: (chunk: string) => void;
  log: Log;
}

/** nats-server as a child that comes back when it is killed. Ready when it lets us in and its JetStream answers. */
export function server(options: ServerOptions): Runner {
  const { program, config, beat, log, onSpawn, onOutput, onUp } = options;
  const one = child("nats-server", {
    command: program,
    args: ["-c", config],
    onOutput,
    onSpawn,
    whenReady: (stop) => answering(options, stop).then(onUp),
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

async function answering({ url, ca, credentials }: ServerOptions, stop: AbortSignal): Promise<void> {
  const self = { name: "core-readiness", user: "core", seed: credentials.seeds.core };
  const { connection, close } = await dial({ servers: url, ...self, log: silent, stop, ...(ca ? { ca } : {}) });
  try {
    while (!ca && !stop.aborted && !(await jetstreamAnswers(connection))) await sleep(20, stop);
  } finally {
    await close();
  }
}
