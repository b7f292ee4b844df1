import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** What must be known of an accepted job to answer it after the stager was killed: no addresses, no environment. */
const job = z.object({ app_id: z.string(), notify_subj: z.string() });

export type JournalJob = z.output<typeof job>;

/** A job that an earlier run accepted and never answered. */
export interface Left extends JournalJob {
  task: string;
}

/** The accepted jobs that wait for their answer, one small file each, so that a stager that was killed can tell. */
export interface Journal {
  /** Resolves when it is written down. */
  add(task: string, job: JournalJob): Promise<void>;
  strike(task: string): Promise<void>;
  /** To be asked before anything is added. Files that cannot be read are removed: nobody can be answered by them. */
  left(): Promise<Left[]>;
}

export function journal(home: string): Journal {
  const directory = join(home, "jobs");
  const fileOf = (task: string) => join(directory, `${task}.json`);
  const strike = (task: string) => rm(fileOf(task), { force: true });
  const readOne = async (task: string): Promise<Left[]> => {
    const text = await readFile(fileOf(task), "utf8").catch(() => "");
    const found = job.safeParse(parsed(text));
    if (!found.success) await strike(task);
    return found.success ? [{ task, ...found.data }] : [];
  };
  return {
    async add(task, { app_id, notify_subj }) {
      await writeFile(fileOf(task), JSON.stringify({ app_id, notify_subj }), { mode: 0o600 });
    },
    strike,
    async left() {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const names = (await readdir(directory)).filter((name) => name.endsWith(".json"));
      return (await Promise.all(names.map((name) => readOne(name.slice(0, -".json".length))))).flat();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
