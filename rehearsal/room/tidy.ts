import { rmSync } from "node:fs";
import { removeGroups } from "./groups.ts";
import { allRecords, lives, machineFolders, type Record, removeRecord } from "./records.ts";

/** What was removed of a room that had ended without removing it. */
export interface Tidied {
  readonly room: string;
  /** Folders of its machines: disks and consoles. */
  readonly folders: readonly string[];
}

/** Removes what dead rooms left: machines' folders, empty control groups, records. Safe at any time, for anybody. */
export async function tidy(): Promise<Tidied[]> {
  const tidied: Tidied[] = [];
  for (const record of allRecords()) {
    if (!(await lives(record))) tidied.push(await tidyRoom(record.id));
  }
  return tidied;
}

/** The same of one room, which has to be dead. */
export async function tidyRoom(room: string): Promise<Tidied> {
  const folders = machineFolders(room);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await removeGroups(room);
  removeRecord(room);
  return { room, folders };
}

/** Rooms that live. */
export async function allRooms(): Promise<Record[]> {
  const records = allRecords();
  const alive = await Promise.all(records.map(lives));
  return records.filter((_, i) => alive[i]);
}
