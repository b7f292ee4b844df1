import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type Knowledge, memberRecord } from "./members.ts";

const shape = z.object({
  members: z.record(z.string(), memberRecord),
  wishes: z.record(z.string(), z.array(z.string())),
});

/** What a core knew when it last ran: nodes come in again before the store can be read, or when it cannot. */
export async function readKnowledge(file: string): Promise<Pick<Knowledge, "members" | "wishes">> {
  try {
    const { members, wishes } = shape.parse(JSON.parse(await readFile(file, "utf8")));
    return { members: new Map(Object.entries(members)), wishes: new Map(Object.entries(wishes)) };
  } catch {
    // The store is the truth; this is only its shadow.
    return { members: new Map(), wishes: new Map() };
  }
}

export async function writeKnowledge(file: string, { members, wishes }: Knowledge): Promise<void> {
  const text = JSON.stringify({ members: Object.fromEntries(members), wishes: Object.fromEntries(wishes) });
  const draft = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
