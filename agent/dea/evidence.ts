import { constants } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openExactly } from "./confined.ts";

/** Bytes of each file that are kept, and directories in all. */
const perFile = 2 ** 20;

const entries = 50;

/** Keeps the logs of something that is about to be removed although nobody knows why it was there. */
export async function keepEvidence(evidence: string, box: string, note: object): Promise<void> {
  const name = `${new Date().toISOString().replace(/[:.]/g, "-")}-${box.split("/").at(-1)}`;
  const place = join(evidence, name);
  await mkdir(place, { recursive: true, mode: 0o700 });
  await writeFile(join(place, "why.json"), `${JSON.stringify(note, undefined, 2)}\n`, { mode: 0o600 });
  for (const file of await readdir(join(box, "logs")).catch(() => [] as string[]))
    await copyEnd(join(box, "logs", file), join(place, file)).catch(() => {});
  await forgetOld(evidence);
}

async function copyEnd(from: string, to: string): Promise<void> {
  const file = await openExactly(from, constants.O_RDONLY);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(size, perFile)),
      0,
      undefined,
      Math.max(0, size - perFile),
    );
    await writeFile(to, buffer.subarray(0, bytesRead), { mode: 0o600 });
  } finally {
    await file.close();
  }
}

async function forgetOld(evidence: string): Promise<void> {
  const names = (await readdir(evidence)).toSorted().toReversed();
  for (const old of names.slice(entries)) await rm(join(evidence, old), { recursive: true, force: true });
}
