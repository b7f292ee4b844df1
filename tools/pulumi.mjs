import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exec, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

const modules = fileURLToPath(new URL("engine", import.meta.url));
const node = fileURLToPath(new URL("../node_modules", import.meta.url));

/** Builds Pulumi's engine into `target`. Minutes, at low priority: nobody waits for it but the offline ground. */
export async function fetchPulumi(pin, target) {
  // Only this way an engine that was not released by its makers knows how old it is.
  const version = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pin.fetch}`;
  await build(pin, target, `-s -w -X ${version}`);
  return `pulumi ${pin.fetch} built from its Go module`;
}

/** Builds what runs programs in Node for the engine, and makes `target` the script that starts it. */
export async function fetchPulumiNode(pin, target) {
  const home = join(dirname(target), "..", "pulumi-node");
  mkdirSync(home, { recursive: true });
  await build(pin, join(home, "host"), "-s -w");
  // The last version of the host that is a module of its own takes options as flags, and the engine sends none any
  // more. Ours run TypeScript as Node does: `typescript: false` in Pulumi.yaml.
  writeFileSync(target, nodeHost);
  chmodSync(target, 0o755);
  return `the engine's Node host ${pin.fetch} built from its Go module`;
}

/** What the engine starts for dynamic resources: a script in the npm package, run with the project's Node. */
export function fetchPulumiDynamic(_pin, target) {
  const bin = join(node, ".bin/node");
  const main = join(node, "@pulumi/pulumi/cmd/dynamic-provider");
  writeFileSync(target, `#!/bin/sh\n# The provider of dynamic resources.\nexec "${bin}" "${main}" "$@"\n`);
  chmodSync(target, 0o755);
  return "the npm package's own";
}

/** `pin` is `{module, package, fetch}`: a Go module of ours, whose go.sum pins every source, and the program in it. */
async function build({ module, package: program, fetch }, target, ldflags) {
  if (!which("go"))
    throw new SetupError(
      `${program.split("/").at(-1)} is not on PATH, and there is no Go to build it with`,
      "install Pulumi (https://www.pulumi.com/docs/install/) or Go, and run this again",
    );
  const work = mkdtempSync(join(tmpdir(), "tutti-pulumi-"));
  const out = join(work, "program");
  try {
    const args = ["go", "build", "-mod=readonly", "-trimpath", "-o", out, "-ldflags", ldflags, program];
    const env = { ...process.env, CGO_ENABLED: "0" };
    await exec(...politely(args), { cwd: join(modules, module), env });
    // Copied and not renamed: the temporary directory may be another file system. One that runs can only be replaced.
    rmSync(target, { force: true });
    copyFileSync(out, target);
    chmodSync(target, 0o755);
  } catch (cause) {
    throw new SetupError(
      `${program} ${fetch} could not be built: ${cause.message}`,
      `install Pulumi (https://www.pulumi.com/docs/install/) and run this again; the module is ${dirname(modules)}/engine/${module}`,
      cause,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Behind everything else on the machine. */
function politely([command, ...args]) {
  return which("nice") ? ["nice", ["-n", "19", command, ...args]] : [command, args];
}

// An engine that is killed leaves the host and the program behind, and the program asks for the engine without end and
// at full speed. The engine starts the host as the head of a process group: the whole group goes when the engine is gone.
const nodeHost = `#!/bin/sh
# Runs programs in Node for the engine, and ends with it.
engine=$PPID
if [ "$(cut -d' ' -f5 /proc/$$/stat 2>/dev/null)" = "$$" ]; then
  (while kill -0 "$engine" 2>/dev/null; do sleep 1; done; kill -KILL 0) </dev/null >/dev/null 2>&1 &
fi
exec "$(dirname "$(readlink -f "$0")")/../pulumi-node/host" -typescript=false "$@"
`;
