import { fileURLToPath } from "node:url";
import { run, soloCluster } from "../support/solo.ts";
import { type Benchmark, median, spreadOf } from "./harness.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** `npm start` on a machine that is set up, in an empty home each time: until the pushed app has answered. */
export const start: Benchmark = {
  name: "start",
  what: "seconds from `npm start` to the first 200 of the pushed app",
  async run(tell) {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      // A cluster that is stood up and taken down again leaves a spec with free ports and an empty home behind.
      const solo = await soloCluster();
      await solo.down();
      const env = { ...process.env, TUTTI_HOME: `${solo.home}/fresh` };
      const began = performance.now();
      const { code, error } = await run("npm", ["start", "--silent", "--", "--spec", solo.spec, "--detach"], {
        cwd: project,
        env,
      });
      times.push((performance.now() - began) / 1000);
      await run(process.execPath, [`${project}/bin/tutti.mjs`, "solo", "down"], { env });
      await solo.remove();
      if (code !== 0) throw new Error(`npm start ended with ${code}:\n${error}`);
      tell(`${times.at(-1)?.toFixed(1)} s`);
    }
    return [
      { name: "npm start → 200", value: median(times), unit: "s", goal: { atMost: 15 }, spread: spreadOf(times) },
    ];
  },
};
