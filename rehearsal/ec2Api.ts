import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { child } from "../agent/run/child.ts";
import type { Log } from "../agent/run/log.ts";
import { type Runner, start, stopped } from "../agent/run/runner.ts";
import { type Faults, front } from "./faults.ts";

export interface Ec2ApiOptions {
  readonly log: Log;
  /** 0: any free port. */
  readonly port?: number;
  /** Python that has moto; default: where set-up puts it. */
  readonly python?: string;
  /** Directory with `<instance id>/console.log` of machines that really boot. */
  readonly console?: string;
}

export interface Ec2Api {
  readonly runner: Runner;
  readonly faults: Faults;
  /** `http://127.0.0.1:<port>`, once the runner is ready. */
  readonly url: string;
}

const script = fileURLToPath(new URL("ec2Api.py", import.meta.url));
const images = fileURLToPath(new URL("images.json", import.meta.url));
const ownPython = fileURLToPath(new URL("../.cache/tools/bin/moto-python", import.meta.url));

/** The API of EC2, S3 and IAM on this machine: moto as a child, and faults in front of it. Its memory ends with it. */
export function ec2Api(options: Ec2ApiOptions): Ec2Api {
  const door = front();
  let port = 0;
  const runner: Runner = {
    name: "ec2 api",
    async run(stop, ready) {
      const inner = await freePort();
      const api = start(moto(inner, options));
      let server: Server | undefined;
      try {
        await Promise.race([api.ready, stopped(stop)]);
        if (stop.aborted) return;
        server = door.serve(inner).listen(options.port ?? 0, "127.0.0.1");
        await once(server, "listening");
        port = (server.address() as AddressInfo).port;
        ready();
        await Promise.race([api.exited, stopped(stop)]);
      } finally {
        server?.close();
        server?.closeAllConnections();
        await api.stop();
      }
    },
  };
  return {
    runner,
    faults: door,
    get url() {
      return `http://127.0.0.1:${port}`;
    },
  };
}

function moto(port: number, { log, python = ownPython, console = "" }: Ec2ApiOptions): Runner {
  const env = {
    ...process.env,
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    // As EC2 does, moto then refuses images and types that are not.
    MOTO_AMIS_PATH: images,
    MOTO_ENABLE_AMI_VALIDATION: "true",
    MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "true",
    TUTTI_CONSOLE: console,
  };
  return child("moto", {
    command: python,
    args: [script, "-H", "127.0.0.1", "-p", String(port)],
    env,
    whenReady: (stop) => answers(`http://127.0.0.1:${port}/moto-api/`, stop),
    onOutput: (chunk) => log.debug({ moto: chunk.trim() }, "the EC2 API says something"),
  });
}

async function answers(url: string, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const answer = await fetch(url, { signal: stop }).catch(() => undefined);
    if (answer) return;
    await sleep(50);
  }
}

/** moto takes no 0 as its port. Below those that the system gives to outgoing connections. */
async function freePort(): Promise<number> {
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
