import { basename, dirname } from "node:path";
import { endRoom } from "../../rehearsal/room/endRoom.ts";
import { machineFolders } from "../../rehearsal/room/records.ts";
import { allRooms, tidy } from "../../rehearsal/room/tidy.ts";
import type { Call } from "../call.ts";
import { rehearsals } from "./plan.ts";

/** `tutti rehearse down`: ends this person's rooms, and removes what dead ones left. Nothing there is no error. */
export async function rehearseDown({ io }: Call): Promise<void> {
  const rooms = (await allRooms()).filter(({ folder }) => dirname(folder) === rehearsals(io.env));
  // In good order a rehearsal removes its machines by itself, and then nobody tells of them.
  const before = rooms.flatMap(({ id }) => machineFolders(id));
  const ended = await Promise.all(rooms.map(({ id }) => endRoom(id)));
  const removed = [...ended.filter((one) => one !== undefined), ...(await tidy())];
  const folders = new Set([...before, ...removed.flatMap((one) => one.folders)]);
  const machines = [...folders].map((folder) => basename(folder));
  const names = rooms.map(({ folder }) => basename(folder));
  const what = machines.length > 0 ? `, with the machines ${machines.join(", ")}` : "";
  const text =
    removed.length === 0 ? "nothing stands" : `removed: the rehearsal ${names.join(", ") || "that had died"}${what}`;
  io.result({ ok: true, rooms: names, machines }, text);
}
