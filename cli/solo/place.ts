import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../fault.ts";

/** Where a solo cluster lives on this machine. */
export interface Place {
  readonly home: string;
  readonly nodeFile: string;
  /** What the agent tells of itself. */
  readonly statusFile: string;
  readonly logFile: string;
  /** Email and password of the first user, readable by its owner only. */
  readonly loginFile: string;
  /** Held by who is just starting the agent. */
  readonly turnFile: string;
}

// A Unix socket's path has 107 bytes at most, and HAProxy's lies below: node/router/haproxy-NNN.sock, and a dot-suffix.
const longest = 107 - "/node/router/haproxy-999.sock.12345.tmp".length;

export function placeOf(env: NodeJS.ProcessEnv): Place {
  const home = join(resolve(env["TUTTI_HOME"] || join(homedir(), ".tutti")), "solo");
  return {
    home,
    nodeFile: join(home, "node.json"),
    statusFile: join(home, "node", "status.json"),
    logFile: join(home, "agent.log"),
    loginFile: join(home, "login.json"),
    turnFile: join(home, "starting.pid"),
  };
}

/** Makes the place, or says why there can be none. */
export function prepare({ home }: Place): void {
  const hint = "name another directory: TUTTI_HOME=/somewhere/short npx tutti solo up";
  if (Buffer.byteLength(home) > longest)
    throw new Fault(`${home} is too long a path: sockets below it need one of at most ${longest} bytes`, {
      code: "home_too_long",
      hint,
    });
  try {
    // Users that apps run as may pass through; what is secret in here is closed by itself.
    mkdirSync(home, { recursive: true, mode: 0o711 });
  } catch (cause) {
    throw new Fault(`${home} cannot be made: ${(cause as Error).message}`, { code: "home_unwritable", hint, cause });
  }
}

/** A file of the project, wherever the command was called. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
