import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { Log } from "../run/log.ts";
import { instanceRecord } from "./instance.ts";

const offsets = z.object({ stdout: z.number(), stderr: z.number() });

/** What a DEA must know to find its instances again. No environment, so no secrets of apps. */
export const snapshot = z.object({
  id: z.string(),
  ports: z.object({
    next: z.number(),
    resting: z.array(z.object({ port: z.number(), until: z.number().optional(), late: z.boolean() })),
  }),
  nextSlot: z.number(),
  instances: z.array(instanceRecord),
  /** Instance → bytes of its log files that have been published. */
  offsets: z.record(z.string(), offsets),
});

export type Snapshot = z.output<typeof snapshot>;

/** The last snapshot; undefined on the first start. One that can't be read is put aside, not overwritten. */
export async function loadSnapshot(path: string, log: Log): Promise<Snapshot | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return snapshot.parse(JSON.parse(text));
  } catch (error) {
    await rename(path, `${path}.unreadable`);
    log.error({ path, error: String(error) }, "The snapshot of the instances can't be read and was put aside.");
    return undefined;
  }
}

export interface Saver {
  /** Something changed: write soon. Changes that come while a write is under way share the next one. */
  dirty(): void;
  /** Resolves when everything told so far is on disk. */
  settled(): Promise<void>;
}

export function saver(path: string, take: () => Snapshot, log: Log): Saver {
  let wanted = false;
  let writing: Promise<void> | undefined;
  const loop = async () => {
    // What changes in one go is written in one go.
    await new Promise(setImmediate);
    while (wanted) {
      wanted = false;
      await write(path, take()).catch((error) => {
        log.error({ path, error: String(error) }, "The snapshot of the instances could not be written.");
      });
    }
    writing = undefined;
  };
  return {
    dirty() {
      wanted = true;
      writing ??= loop();
    },
    settled: async () => await writing,
  };
}

async function write(path: string, content: Snapshot): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(content));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
