import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { readWord, type Stage, type Step } from "../../rehearsal/play/words.ts";
import type { Room } from "../../rehearsal/room/room.ts";
import { Fault } from "../fault.ts";
import type { Io } from "../io.ts";
import { steps } from "../solo/steps.ts";

/** Shows what the room says until the app has answered. Rejects with what went wrong in there. */
export async function watchRoom(room: Room, { io, logFile, done }: Watching): Promise<Stage> {
  const show = steps(io);
  let fault: Fault | undefined;
  for await (const line of createInterface({ input: room.process.stdout as Readable })) {
    const word = readWord(line);
    if (word?.kind === "note") io.note(io.paint("dim", `  ${word.line}`));
    if (word?.kind === "step") {
      done.push(word.step);
      show.done(word.step.name, word.step.seconds, word.step.detail);
    }
    if (word?.kind === "fault")
      fault = new Fault(word.message, { code: word.code, hint: word.hint ?? `see ${logFile}` });
    if (word?.kind === "stage") return word.stage;
  }
  const { code, signal } = await room.exited;
  throw (
    fault ??
    new Fault(`the rehearsal ended by itself (${signal ?? `code ${code}`})`, {
      code: "room_ended",
      hint: `see ${logFile}`,
    })
  );
}

interface Watching {
  readonly io: Io;
  readonly logFile: string;
  /** Takes the steps as they are done. */
  readonly done: Step[];
}
