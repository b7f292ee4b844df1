import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../run/fault.ts";
import type { Box, Contained, Driver, Identity, Measure } from "./driver.ts";
import type { Ended } from "./exits.ts";
import { startCommand } from "./launch.ts";
import { alive, belongsTo, endWatch, killAll, membersOf, signal, strayProcesses } from "./processes.ts";
import { bootId, pageSize, processes, processOf } from "./procfs.ts";
import { listeningOf } from "./sockets.ts";
import { diskOf, fillBox, logFiles } from "./unpack.ts";
import { defaultUser, ownerOfSlot, type UserChoice } from "./users.ts";

export interface ProcessDriverOptions {
  /** Absolute path of the directory in which instances live. */
  root: string;
  /** Who runs the apps; by default users of their own when the agent is root, else the agent's. */
  user?: UserChoice;
}

/** Instances as plain processes: a session, limits and a directory of their own, and, under root, a user of their own. */
export function processDriver({ root, user }: ProcessDriverOptions): Driver {
  const { choice, because } = user ? { choice: user, because: "so it was asked for" } : defaultUser(root);
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));
  const watch = endWatch();
  const page = pageSize();
  // The limit counts all processes of a user: it makes sense only for a user of the instance's own.
  const limit = choice !== "agent" && "base" in choice ? 1024 : 0;
  const members = async (box: Box, identity: Identity | undefined) =>
    membersOf(await processes(), box, { choice, identity });
  const contained = (box: Box, identity: Identity, ended: Promise<Ended>): Contained => ({
    identity,
    ended,
    kill: () => void (alive(identity) && signal(-identity.pid, "SIGKILL")),
    listening: async () => listeningOf((await members(box, identity)).map((one) => one.pid)),
    async stop(grace) {
      if (alive(identity)) signal(-identity.pid, "SIGTERM");
      const late = setTimeout(() => alive(identity) && signal(-identity.pid, "SIGKILL"), grace);
      return ended.finally(() => clearTimeout(late));
    },
  });
  return {
    name: "process",
    user: choice === "agent" ? "agent" : "uid" in choice ? `uid ${choice.uid}` : `uid ${choice.base} + slot`,
    missing: lacking(choice, because, setpriv),
    async open() {
      await mkdir(root, { recursive: true });
      // Each instance passes through on its way to its own directory, whatever the agent's umask is.
      await chmod(root, 0o711);
    },
    fill: (box, tarball, stop) => fillBox(box, tarball, { owner: ownerOfSlot(choice, box.slot), stop }),
    async start(box, launch) {
      const owner = ownerOfSlot(choice, box.slot);
      const logs = await logFiles(box, owner);
      try {
        const line = startCommand(box, launch, { processes: limit, setpriv });
        const stdio = ["ignore" as const, logs.stdout.fd, logs.stderr.fd];
        const { env } = launch;
        const child = spawn(line.command, line.args, { cwd: box.directory, env, stdio, detached: true, ...owner });
        const ended = endOf(child);
        return contained(box, await identityOf(child), ended);
      } finally {
        await Promise.all([logs.stdout.close(), logs.stderr.close()]);
      }
    },
    adopt: (box, identity) => (alive(identity) ? contained(box, identity, watch.ended(identity)) : undefined),
    async measure(live) {
      const all = await processes();
      const sum = live.map(({ box, identity }): [string, Measure | undefined] => {
        const group = membersOf(all, box, { choice, identity });
        const total = (field: "rss" | "cpu") => group.reduce((so, one) => so + one[field], 0);
        return [box.id, group.length ? { memory: total("rss") * page, cpu: total("cpu") / 100 } : undefined];
      });
      return new Map(sum.filter((entry): entry is [string, Measure] => entry[1] !== undefined));
    },
    disk: diskOf,
    async sweep(box, identity) {
      await killAll(() => members(box, identity));
      // Without a user of its own, what has left the session is known by its mark only.
      if (limit === 0) await killAll(async () => (await processes()).filter((one) => belongsTo(one.pid, box)));
    },
    remove: (box) => rm(box.directory, { recursive: true, force: true, maxRetries: 3 }),
    async strays(known) {
      const names = await readdir(root).catch(() => []);
      const kept = new Set(known.map((box) => box.directory));
      const orphans = names.filter((name) => !kept.has(join(root, name)));
      return [...(await strayProcesses(root, choice, known)), ...orphans.map((directory) => ({ directory, pids: [] }))];
    },
    close: watch.close,
  };
}

function endOf(child: ChildProcess): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  child.once("exit", (code, signal) => resolve(signal ? { signal } : { code: code ?? undefined }));
  // The agent may leave while the instance goes on.
  child.unref();
  return promise;
}

async function identityOf(child: ChildProcess): Promise<Identity> {
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once("error", resolve));
    throw new Fault(`the instance could not be started: ${cause.message}`, { code: "not_started", cause });
  }
  // An app that has ended already has no start time any more; nobody will ask for it.
  return { pid, started: processOf(pid)?.started ?? 0, boot: bootId() };
}

function lacking(choice: UserChoice, because: string | undefined, setpriv: string | undefined): string[] {
  return [
    "instances see the processes, the network and the files of the machine: there are no namespaces yet",
    "memory and disk quotas are enforced by looking every few seconds; cpu is not limited",
    ...(choice === "agent"
      ? [`instances run as the agent's own user and can read each other's files: ${because}`]
      : []),
    ...(choice !== "agent" && "uid" in choice ? ["instances share one user and can read each other's files"] : []),
    ...(setpriv ? [] : ["setpriv is not installed: instances may use setuid programs"]),
  ];
}
