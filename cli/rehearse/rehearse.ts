import { openSync } from "node:fs";
import { join } from "node:path";
import { ensureImage } from "../../rehearsal/image/image.ts";
import type { Stage, Step } from "../../rehearsal/play/words.ts";
import { enterCommand } from "../../rehearsal/room/enter.ts";
import { lacks } from "../../rehearsal/room/lacks.ts";
import { enterRoom, type Room } from "../../rehearsal/room/room.ts";
import { allRooms } from "../../rehearsal/room/tidy.ts";
import type { Call } from "../call.ts";
import { projectFile } from "../cluster/offline/place.ts";
import { readSpec } from "../cluster/spec.ts";
import { Fault } from "../fault.ts";
import { type Interrupt, interrupts } from "../solo/interrupt.ts";
import { steps } from "../solo/steps.ts";
import { watchRoom } from "./outside.ts";
import { freshBundle, makePlan, type Ready, rehearsals } from "./plan.ts";

/** `tutti rehearse [SPEC]`: the cluster of a cluster.yaml, on machines that boot on this computer. */
export async function rehearse(call: Call): Promise<number> {
  const interrupt = interrupts();
  try {
    return await perform(call, interrupt);
  } finally {
    interrupt.release();
  }
}

async function perform(call: Call, interrupt: Interrupt): Promise<number> {
  const { io } = call;
  const began = performance.now();
  const done: Step[] = [];
  const ready = await prepare(call, done, interrupt);
  const room = await openRoom(ready);
  try {
    const stage = await interrupt.guard(watchRoom(room, { io, logFile: ready.logFile, done }));
    const seconds = Math.round(performance.now() - began) / 1000;
    const ok = stage.status === 200;
    const { url, status, nodes } = stage;
    const look = ready.plan.keep ? lookInside(room, ready) : undefined;
    io.result({ ok, url, status, seconds, steps: done, nodes, ...look }, farewell({ stage, seconds, look }));
    if (!ready.plan.keep) await takeDown(call, room);
    return ok ? 0 : 1;
  } catch (error) {
    await room.stop();
    throw error;
  } finally {
    letGo(room);
  }
}

/** Everything that is made outside of the room: it is made once, and the next rehearsal finds it. */
async function prepare(call: Call, done: Step[], { stop, guard }: Interrupt): Promise<Ready> {
  const { spec } = readSpec(call.args[0] ?? projectFile("examples/trio/cluster.yaml"));
  if (!spec.aws) throw new Error("a spec without ground was let through");
  const { aws } = spec;
  await refuse(call, spec.name);
  const show = steps(call.io, stop);
  const timed = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    const result = await guard(show.step(name, act));
    done.push({ name, seconds: Math.round(performance.now() - since) / 1000 });
    return result;
  };
  const image = await timed("image of machines", () => ensureImage({ log: quiet, stop }));
  const bundle = await timed("agent bundle", () => freshBundle(call, aws));
  return await makePlan(call, image.path, bundle);
}

async function refuse({ io }: Call, cluster: string): Promise<void> {
  const missing = await lacks();
  if (missing.length > 0)
    throw new Fault(["machines cannot boot here:", ...missing.map(({ what, why }) => `${what}: ${why}`)].join("\n  "), {
      code: "cannot_rehearse",
      hint: `${missing[0]?.hint ?? ""}; what works without: npm start (a whole cluster as processes), tutti up --offline`,
      details: { lacks: missing },
    });
  const rooms = await allRooms();
  const place = join(rehearsals(io.env), cluster);
  if (rooms.some(({ folder }) => folder === place))
    throw new Fault(`a rehearsal of ${cluster} stands already`, {
      code: "stands_already",
      hint: "tutti rehearse down",
    });
}

/** With --keep the room outlives us; until its play is over it ends by itself when our end of its input is closed. */
async function openRoom({ plan, planFile, logFile }: Ready): Promise<Room> {
  const log = openSync(logFile, "a", 0o600);
  const room = await enterRoom({
    command: process.execPath,
    args: [projectFile("rehearsal/play/main.ts"), planFile],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
    folder: plan.folder,
    stdio: ["pipe", "pipe", log],
    stays: plan.keep,
  });
  // One that stays is nobody's child in Node's eyes; until the play is over we wait for it.
  room.process.ref();
  return room;
}

async function takeDown({ io }: Call, room: Room): Promise<void> {
  const began = performance.now();
  await room.stop();
  steps(io).done("taken down", (performance.now() - began) / 1000);
}

function letGo({ process: child }: Room): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.unref();
}

interface Look {
  /** Command lines. */
  readonly inside: string;
  readonly down: string;
}

function lookInside({ pid }: Room, { plan }: Ready): Look {
  const shell = enterCommand(pid, [
    "env",
    `TUTTI_HOME=${plan.folder}/home`,
    `PATH=${projectFile("node_modules/.bin")}:$PATH`,
    "bash",
  ]);
  return { inside: shell.join(" "), down: "npx tutti rehearse down" };
}

function farewell({ stage, seconds, look }: { stage: Stage; seconds: number; look: Look | undefined }): string {
  const nodes = stage.nodes.map(
    ({ id, instance, publicAddress, roles }) =>
      `  ${id.padEnd(10)} ${instance}  ${publicAddress.padEnd(15)}  ${roles.join(",")}`,
  );
  const lines = ["", `${stage.url} answered ${stage.status} after ${seconds.toFixed(1)} s`, "", ...nodes];
  if (!look) return lines.join("\n");
  const within = [
    "",
    `  a shell inside   ${look.inside}`,
    "  then             tutti status, curl, ssh …",
    `  remove it        ${look.down}`,
  ];
  return [...lines, ...within].join("\n");
}

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
