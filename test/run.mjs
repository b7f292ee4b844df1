// Runs every check and every test, and closes with one line: `N passed, N failed` (`, N skipped`).
// Plain JavaScript: it is started by whatever Node the machine has and goes on with the project's own.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(project, "node_modules/.bin");
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, NO_COLOR: "1" };
const work = mkdtempSync(join(tmpdir(), "tutti-test-"));

/** Runs a program with its output shown; resolves to its exit code. */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: project, env, stdio: "inherit" });
    child.once("close", (code) => resolve(code ?? 1));
    child.once("error", () => resolve(1));
  });
}

const count = { passed: 0, failed: 0, skipped: 0 };
for (const [name, command, args] of [
  ["types", "tsc", ["--noEmit"]],
  ["format and lint", "biome", ["check", "."]],
]) {
  const code = await run(join(bin, command), args);
  console.log(`${code === 0 ? "✓" : "✗"} ${name}`);
  count[code === 0 ? "passed" : "failed"]++;
}

const report = join(work, "report.json");
const filters = process.argv.slice(2);
const code = await run(join(bin, "vitest"), [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...filters,
]);
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  // A file that could not be loaded has failed too, although none of its tests has.
  const broken = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  count.passed += numPassedTests;
  count.failed += numFailedTests + broken;
  count.skipped += numPendingTests + numTodoTests;
  if (code !== 0 && numFailedTests + broken === 0) count.failed++;
} catch {
  count.failed++;
}
rmSync(work, { recursive: true, force: true });
console.log(`${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ""}`);
process.exitCode = count.failed === 0 ? 0 : 1;
