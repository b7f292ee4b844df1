import { writeFileSync } from "node:fs";
import type { NodeSpec } from "../../roles/node.ts";
import type { Call } from "../call.ts";
import type { Io } from "../io.ts";
import { agentFault, agentGone, agentReady, runningAgent, startAgent, stopAgent } from "./agent.ts";
import { type Interrupt, interrupts } from "./interrupt.ts";
import { differences, makeNode, readNode } from "./nodeFile.ts";
import { farewell, open } from "./open.ts";
import { type Place, placeOf, prepare } from "./place.ts";
import { steps } from "./steps.ts";
import { inTurn } from "./turn.ts";

/**
 * `tutti solo up`: each step is skipped when it is done already. Who starts the agent stops it again: when a step
 * fails, at an interruption, and at the end unless told to leave it. Who finds it running leaves it running.
 */
export async function up(call: Call): Promise<number> {
  const interrupt = interrupts();
  try {
    return await bring(call, interrupt);
  } finally {
    interrupt.release();
  }
}

async function bring(call: Call, interrupt: Interrupt): Promise<number> {
  const { io } = call;
  const began = performance.now();
  const place = placeOf(io.env);
  prepare(place);
  const steward = steps(io, interrupt.stop);
  const { pid, spec, started } = await ensureAgent(call, place);
  try {
    const onReady = (name: string) => steward.done(name, (performance.now() - began) / 1000);
    if (!started) steward.done("agent", 0, `runs already (pid ${pid})`);
    const watch = { onReady: started ? onReady : () => {}, stop: interrupt.stop, file: call.text("spec") };
    await interrupt.guard(agentReady(place, pid, watch));
    const solo = await interrupt.guard(open({ call, place, spec, steward, stop: interrupt.stop }));
    steward.done("all together", (performance.now() - began) / 1000);
    io.result(solo, farewell(solo, io));
  } catch (error) {
    if (started) await stopAgent(place, pid, interrupt.stop.aborted ? stopped(io) : () => {});
    throw error;
  }
  if (!started) io.note("\nThe cluster ran already and goes on: npx tutti solo down stops it.");
  else if (call.flag("detach")) io.note("\nThe cluster goes on: npx tutti solo down stops it.");
  else return stay({ place, pid, io, interrupt });
  return 0;
}

/** The agent of this place: the one that runs, else a new one. Two who come at once do not both start one. */
async function ensureAgent(
  { text, io }: Call,
  place: Place,
): Promise<{ pid: number; spec: NodeSpec; started: boolean }> {
  return inTurn(place.turnFile, async () => {
    const there = runningAgent(place);
    if (there) {
      const spec = readNode(place);
      const file = text("spec");
      const other = file ? differences(spec, file, place) : [];
      if (other.length > 0)
        io.note(
          `note: the cluster runs with other settings than ${file} (${other.join(", ")}): solo down, then solo up`,
        );
      return { pid: there.pid, spec, started: false };
    }
    const spec = await makeNode(place, text("spec"), io.env["TUTTI_BUS_TRACE"]);
    writeFileSync(place.nodeFile, `${JSON.stringify(spec, undefined, 2)}\n`, { mode: 0o600 });
    return { pid: await startAgent(place), spec, started: true };
  });
}

interface Staying {
  place: Place;
  pid: number;
  io: Io;
  interrupt: Interrupt;
}

/** In the foreground: waits for Ctrl-C, then stops everything in order. */
async function stay({ place, pid, io, interrupt }: Staying): Promise<number> {
  io.note("\nCtrl-C stops the cluster; the next start finds the same apps and routes.");
  try {
    const inOrder = await interrupt.guard(agentGone(place, pid));
    if (!inOrder) throw agentFault("the agent has ended by itself", place);
    io.note("\nThe cluster was stopped from elsewhere (tutti solo down).");
  } catch (error) {
    if (!interrupt.stop.aborted) throw error;
    await stopAgent(place, pid, stopped(io));
  }
  return 0;
}

const stopped = (io: Io) => {
  io.note("");
  return (name: string) => io.note(`${io.paint("green", "✓")} ${name} stopped`);
};
