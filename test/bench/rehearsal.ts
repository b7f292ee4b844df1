import { fileURLToPath } from "node:url";
import { noMachines, openMachines } from "../support/machines.ts";
import { type Rehearsed, rehearsing } from "../support/rehearsal.ts";
import { type Benchmark, type Figure, median, spreadOf } from "./harness.ts";

const rounds = 3;
const five = fileURLToPath(new URL("../../examples/five/cluster.yaml", import.meta.url));

/** From the command to the app's first answer, on machines that boot here; image and tools are there already. */
export const rehearsal: Benchmark = {
  name: "rehearsal",
  what: "from `tutti rehearse` to the first 200 of a pushed app, three nodes and five; one machine's memory",
  async run(tell) {
    if (noMachines) {
      tell(`machines cannot boot here: ${noMachines}`);
      return [];
    }
    const our = await rehearsing();
    try {
      // The first one makes the agent bundle.
      await our.rehearse();
      const three = await series(rounds, () => our.rehearse());
      tell(`three nodes: ${three.map(stepsText).join("; ")}`);
      const more = await our.rehearseOf(five);
      tell(`five nodes: ${stepsText(more)}`);
      return [...figures(three, more), await idleMemory()];
    } finally {
      await our.gone();
    }
  },
};

async function series<T>(count: number, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < count; round++) results.push(await act());
  return results;
}

const stepsText = ({ steps }: Rehearsed) =>
  steps.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`).join(", ");

function figures(three: readonly Rehearsed[], five: Rehearsed): Figure[] {
  const seconds = three.map((one) => one.seconds);
  const boots = three.map(({ nodes }) => Math.max(...nodes.map(({ bootSeconds = Number.NaN }) => bootSeconds)));
  const each = (five.seconds - median(seconds)) / (five.nodes.length - (three[0]?.nodes.length ?? 3));
  return [
    { ...told("rehearsal of three nodes: command → first 200", seconds), goal: { atMost: 60 } },
    { ...told("instance runs → agent joined and ready, the slowest of three", boots), goal: { atMost: 15 } },
    { name: "each of two nodes more", value: each, unit: "s", goal: { atMost: 6 } },
  ];
}

const told = (name: string, values: readonly number[]): Figure => ({
  ...{ name, value: median(values), unit: "s" },
  spread: spreadOf(values),
});

async function idleMemory(): Promise<Figure> {
  const machines = await openMachines();
  try {
    const machine = await machines.make("i-0123456789abcdef0");
    await machine.boot();
    await machine.up();
    const { resident, cache } = await machine.memory();
    const compare = `and ${cache.toFixed(0)} MiB of cache`;
    return {
      name: "a booted machine without roles, resident",
      value: resident,
      unit: "MiB",
      goal: { atMost: 150 },
      compare,
    };
  } finally {
    await machines.close();
  }
}
