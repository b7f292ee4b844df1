import { Fault } from "../../agent/run/fault.ts";
import { type Runner, stopped } from "../../agent/run/runner.ts";
import { enterRoom, type Room, type RoomOptions } from "./room.ts";

export interface RoomRunnerOptions extends RoomOptions {
  /** Told of the room before the runner is ready. */
  readonly onRoom?: (room: Room) => void;
  /** Milliseconds between asking the command to end and ending all. */
  readonly grace?: number;
}

/** A room that lives as everything lives: its command's end is the runner's, and stopping the runner ends the room. */
export function roomRunner({ onRoom, grace, ...options }: RoomRunnerOptions): Runner {
  return {
    name: "room",
    async run(stop, ready) {
      if (stop.aborted) return;
      const room = await enterRoom(options);
      onRoom?.(room);
      ready();
      try {
        const end = await Promise.race([room.exited, stopped(stop)]);
        if (!end || stop.aborted || end.code === 0) return;
        throw new Fault(`what ran in the room ended with ${end.signal ?? `code ${end.code}`}`, { code: "room_ended" });
      } finally {
        await room.stop(grace);
      }
    },
  };
}
