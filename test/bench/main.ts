import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { benchmarks } from "./benchmarks.ts";
import { holds, line } from "./harness.ts";

// npm run bench -- --list | npm run bench -- NAME… [--json]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean" }, json: { type: "boolean" } },
});
const unknown = positionals.filter((name) => !benchmarks.some((one) => one.name === name));
if (values.list || unknown.length > 0) {
  for (const { name, what } of benchmarks) console.log(`${name.padEnd(12)} ${what}`);
  if (unknown.length > 0) console.error(`there is no benchmark called ${unknown.join(", ")}`);
  process.exit(unknown.length > 0 ? 64 : 0);
}

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`;
if (!values.json) console.log(machine);
let missed = 0;
for (const benchmark of benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const figures = await benchmark.run((text) => console.error(`  ${benchmark.name}: ${text}`));
  for (const figure of figures) {
    if (values.json)
      console.log(JSON.stringify({ benchmark: benchmark.name, machine, ...figure, holds: holds(figure) }));
    else console.log(line(figure));
    if (holds(figure) === false) missed++;
  }
}
process.exitCode = missed > 0 ? 1 : 0;
