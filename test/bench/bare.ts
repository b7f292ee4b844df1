import { spawn } from "node:child_process";
import { get } from "node:http";
import { createServer } from "node:net";

/** A free port of loopback. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** The first byte of a page, asked for again at once until something listens. Resolves to the status. */
export function firstByte(port: number, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const ask = () =>
      get({ host: "127.0.0.1", port, headers, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      }).once("error", () => setTimeout(ask, 1));
    ask();
  });
}

/** Milliseconds from spawning an app in its directory to the first byte it serves: the bare start of an app. */
export async function bareStart(directory: string): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, ["server.js"], {
    cwd: directory,
    env: { ...process.env, PORT: String(port) },
    stdio: "ignore",
  });
  await firstByte(port);
  const took = performance.now() - began;
  const gone = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await gone;
  return took;
}
