import { type OfflineCluster, offlineCluster } from "../support/offlineCluster.ts";
import { type Benchmark, type Figure, median, spreadOf } from "./harness.ts";

const rounds = 3;

interface Times {
  readonly preview: number[];
  readonly up: number[];
  readonly nothing: number[];
  /** Action → calls of one `up` that makes everything. */
  readonly calls: ReadonlyMap<string, number>;
}

async function timed(our: OfflineCluster, verb: string, more: readonly string[] = []): Promise<number> {
  const began = performance.now();
  const { code, err } = await our.tutti(verb, more);
  // A preview of something to do ends with 2.
  if (code !== 0 && code !== 2) throw new Error(`tutti ${verb} ended with ${code}: ${err}`);
  return (performance.now() - began) / 1000;
}

async function measure(our: OfflineCluster): Promise<Times> {
  const { counts, clear } = our.there.api.faults;
  const times = { preview: [] as number[], up: [] as number[], nothing: [] as number[] };
  let calls = new Map<string, number>();
  // The first one makes the stack and fills the disk's cache: engine and provider shall be warm.
  await timed(our, "preview");
  for (let round = 0; round < rounds; round++) {
    times.preview.push(await timed(our, "preview"));
    clear();
    times.up.push(await timed(our, "up", ["--yes"]));
    calls = new Map(counts);
    times.nothing.push(await timed(our, "up", ["--yes"]));
    await timed(our, "destroy", ["--yes"]);
  }
  return { ...times, calls };
}

function figures({ preview, up, nothing, calls }: Times): Figure[] {
  const told = (name: string, values: readonly number[], atMost: number): Figure => ({
    ...{ name, value: median(values), unit: "s" },
    goal: { atMost },
    spread: spreadOf(values),
  });
  const all = [...calls.values()].reduce((sum, count) => sum + count, 0);
  const machines = calls.get("RunInstances") ?? 0;
  const instances = (calls.get("DescribeInstances") ?? 0) + (calls.get("DescribeInstanceAttribute") ?? 0);
  const most = [...calls].sort(([, one], [, other]) => other - one).slice(0, 4);
  return [
    told("tutti preview of 3 nodes", preview, 6),
    told("tutti up of 3 nodes, without their boots", up, 20),
    told("tutti up with nothing to do", nothing, 5),
    {
      name: "API calls of that up, for each node",
      ...{ value: all / machines, unit: "calls" },
      compare: `${all} in all, most of them ${most.map(([action, count]) => `${action} ${count}`).join(", ")}`,
    },
    { name: "of these, calls that look at a machine", value: instances / machines, unit: "calls" },
  ];
}

/** What a person waits for: the command, the real engine, and an EC2 on this machine that answers at once. */
export const ec2: Benchmark = {
  name: "ec2",
  what: "preview, up and up again of a cluster of three nodes, on the real engine and an offline EC2",
  async run(tell) {
    const our = await offlineCluster();
    try {
      await our.write("trio");
      const times = await measure(our);
      tell(`${rounds} rounds of preview, up, up, destroy`);
      return figures(times);
    } finally {
      await our.gone();
    }
  },
};
