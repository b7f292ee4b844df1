import { setTimeout as sleep } from "node:timers/promises";
import { app, hello } from "../support/apps.ts";
import { type Solo, soloCluster } from "../support/solo.ts";
import { bareStart } from "./bare.ts";
import { type Benchmark, median, percentile, spreadOf } from "./harness.ts";

const rounds = 12;

/** `kill -9` of an app's only instance → the next 200 through the router, beside the app's own bare start. */
export const recover: Benchmark = {
  name: "recover",
  what: "kill -9 of an app → next 200, as a multiple of the app's bare start",
  async run(tell) {
    const solo = await soloCluster();
    try {
      const bare: number[] = [];
      const ours: number[] = [];
      for (let i = 0; i < rounds; i++) {
        // A fresh app each time: one that crashes again and again is made to wait, and rightly so.
        const name = `victim${i}`;
        await solo.json("push", name, "--path", hello);
        // An app that has settled: what happens in the first moments after a push is the push's own business.
        await sleep(3000);
        bare.push(await bareStart(hello));
        ours.push(await killed(solo, name));
        tell(`${ours.at(-1)?.toFixed(0)} ms, bare ${bare.at(-1)?.toFixed(0)} ms`);
        await solo.json("delete", name, "--force");
      }
      const ratios = ours.map((value, i) => value / (bare[i] ?? Number.NaN));
      const compare = `bare start ${median(bare).toFixed(0)} ms`;
      return [
        {
          name: "kill -9 → next 200 / bare start, p50",
          value: median(ratios),
          unit: "×",
          goal: { atMost: 3 },
          spread: spreadOf(ratios),
          compare,
        },
        { name: "kill -9 → next 200, p50", value: median(ours), unit: "ms" },
        { name: "kill -9 → next 200, worst", value: percentile(ours, 1), unit: "ms" },
      ];
    } finally {
      await solo.remove();
    }
  },
};

async function killed(solo: Solo, name: string): Promise<number> {
  const host = `${name}.${solo.domain}`;
  const { pid } = await app(solo, host);
  const began = performance.now();
  process.kill(pid, "SIGKILL");
  for (;;) {
    const again = await app(solo, host).catch(() => undefined);
    if (again && again.pid !== pid) return performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
