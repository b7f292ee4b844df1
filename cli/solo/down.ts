import type { Call } from "../call.ts";
import { runningAgent, stopAgent } from "./agent.ts";
import { placeOf } from "./place.ts";

/** `tutti solo down`: a cluster that does not run is not an error. */
export async function down({ io }: Call): Promise<void> {
  const place = placeOf(io.env);
  const there = runningAgent(place);
  if (!there) return io.result({ ok: true, stopped: false }, "nothing runs");
  await stopAgent(place, there.pid, (name) => io.note(`${io.paint("green", "✓")} ${name} stopped`));
  io.result(
    { ok: true, stopped: true, pid: there.pid },
    "stopped; apps and routes are kept for the next: npx tutti solo up",
  );
}
