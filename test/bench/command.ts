import { fileURLToPath } from "node:url";
import { run } from "../support/solo.ts";
import { type Benchmark, median, spreadOf } from "./harness.ts";

const tutti = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));

/** The command's own start, with the Node that it would choose itself; a bare Node beside it. */
export const command: Benchmark = {
  name: "command",
  what: "milliseconds from `tutti --help` to its end",
  async run() {
    const time = async (args: string[]) => {
      const began = performance.now();
      const { code } = await run(process.execPath, args);
      if (code !== 0) throw new Error(`node ${args.join(" ")} ended with ${code}`);
      return performance.now() - began;
    };
    const ours: number[] = [];
    const bare: number[] = [];
    await time([tutti, "--help"]);
    for (let i = 0; i < 15; i++) {
      ours.push(await time([tutti, "--help"]));
      bare.push(await time(["-e", "0"]));
    }
    const compare = `node -e 0: ${median(bare).toFixed(0)} ms`;
    return [
      { name: "tutti --help", value: median(ours), unit: "ms", goal: { atMost: 150 }, spread: spreadOf(ours), compare },
    ];
  },
};
