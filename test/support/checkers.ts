import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toolsBin } from "./tools.ts";

/** A program that checks user data; says what to do when it is missing. */
export function checker(name: "cloud-init" | "shellcheck"): string {
  const path = join(toolsBin, name);
  if (!existsSync(path)) throw new Error(`${name} is not set up: run "node bin/setup.mjs"`);
  return path;
}

// cloud-init's command once for each file, in one process: its start costs more than its check.
const checkAll = `import io, sys
from contextlib import redirect_stderr, redirect_stdout
from cloudinit.cmd.main import main
for file in sys.argv[1:]:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code = main(["cloud-init", "schema", "--config-file", file])
        except SystemExit as end:
            code = end.code
    print("ok" if not code and "Valid" in said.getvalue() else f"{file}: {code}: {said.getvalue()!r}")
`;

/** What cloud-init finds wrong with user data, by its own rules. */
export async function schemaProblems(work: string, texts: Readonly<Record<string, string>>): Promise<string[]> {
  const launcher = checker("cloud-init");
  const files = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(work, `${name}.yaml`), text);
    return join(work, `${name}.yaml`);
  });
  // The launcher begins with where its modules are; a program of the machine's own needs no such line.
  const unpacked = join(dirname(launcher), "../cloud-init/usr/lib/python3/dist-packages");
  const env = { PATH: process.env["PATH"] ?? "", PYTHONPATH: unpacked, PYTHONDONTWRITEBYTECODE: "1" };
  const child = spawn("/usr/bin/python3", ["-c", checkAll, ...files], { env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const said = out.trim().split("\n");
  if (said.length !== files.length) return [`cloud-init looked at ${said.length} of ${files.length} files`, ...said];
  return said.filter((line) => line !== "ok");
}
