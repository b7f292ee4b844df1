import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool } from "./tools.ts";
import { until } from "./until.ts";

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** kill -9 and wait for the end. */
  kill(): Promise<void>;
  /** Starts the killed server again: same port, same data. */
  again(): Promise<void>;
  /** SIGSTOP and SIGCONT: a server that is there but does not answer. */
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export interface NatsServerOptions {
  /** More lines of configuration. */
  config?: string;
  jetstream?: boolean;
  /** Absent: any free one. */
  port?: number;
}

/**
 * A port that was free a moment ago. Below those that the system gives to outgoing connections: a client that tries to
 * reach a killed server could otherwise be given the server's own port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A real nats-server on a free port of the loopback, with a directory of its own. */
export async function natsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const { config = "", jetstream = false, port = await freePort() } = options;
  const home = await mkdtemp(join(tmpdir(), "tutti-nats-"));
  const store = jetstream ? `jetstream { store_dir: "${home}/js", max_mem: 16MB, max_file: 4GB }\n` : "";
  await writeFile(join(home, "nats.conf"), `listen: "127.0.0.1:${port}"\n${store}${config}\n`, { mode: 0o600 });
  let child: ChildProcess;
  const again = async () => {
    child = spawn(tool("nats-server"), ["-c", join(home, "nats.conf")], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await until(() => /Server is ready/.test(said) || child.exitCode !== null, { what: "nats-server is ready" });
    if (child.exitCode !== null) throw new Error(`nats-server did not start: ${said}`);
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  await again();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill: () => kill(),
    again,
    signal: (signal) => child.kill(signal),
    async stop() {
      await kill();
      await rm(home, { recursive: true, force: true });
    },
  };
}
