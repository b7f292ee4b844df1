import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An unpacked droplet. */
export interface Unpacked {
  root: string;
  /** Paths in it. */
  names: string[];
  remove(): Promise<void>;
}

export async function unpack(tarball: Buffer): Promise<Unpacked> {
  const root = await mkdtemp(join(tmpdir(), "tutti-droplet-"));
  await writeFile(join(root, "droplet.tgz"), tarball);
  const { stdout } = await run("tar", ["-xzvf", "droplet.tgz"], { cwd: root });
  return { root, names: stdout.trim().split("\n"), remove: () => rm(root, { recursive: true, force: true }) };
}

/** Runs `./startup` as a DEA would and gives what the app answers at `/`. */
export async function answerOf({ root }: Unpacked, ...command: string[]): Promise<string> {
  const port = await freePort();
  const env = { PATH: process.env["PATH"] ?? "", HOME: root };
  const proc = spawn("./startup", ["-p", String(port), ...command], { cwd: root, env, stdio: "pipe" });
  try {
    return await firstAnswer(proc, port);
  } finally {
    proc.kill("SIGKILL");
  }
}

async function firstAnswer(proc: ChildProcess, port: number): Promise<string> {
  let printed = "";
  for (const stream of [proc.stdout, proc.stderr])
    stream?.on("data", (chunk) => {
      printed += chunk;
    });
  const ended = once(proc, "exit").then(([code]) => {
    throw new Error(`it ended with ${code}: ${printed}`);
  });
  for (;;) {
    const text = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    const found = await Promise.race([text.catch(() => undefined), ended]);
    if (found !== undefined) {
      ended.catch(() => {});
      return found;
    }
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 50)), ended]);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
