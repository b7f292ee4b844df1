import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a solo cluster lives on this machine. */
export interface Place {
  readonly home: string;
  readonly nodeFile: string;
  /** What the agent tells of itself. */
  readonly statusFile: string;
  readonly logFile: string;
  /** Email and password of the first user, readable by its owner only. */
  readonly loginFile: string;
}

export function placeOf(env: NodeJS.ProcessEnv): Place {
  const home = join(env["TUTTI_HOME"] || join(homedir(), ".tutti"), "solo");
  return {
    home,
    nodeFile: join(home, "node.json"),
    statusFile: join(home, "node", "status.json"),
    logFile: join(home, "agent.log"),
    loginFile: join(home, "login.json"),
  };
}

/** A file of the project, wherever the command was called. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
