#!/usr/bin/env node
// Gets onto this machine what tutti needs and does not find: npm packages, Node 24, nats-server, HAProxy.
// Everything lands inside the project (node_modules, .cache/tools). What is there already is left alone.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ansibleVersion, fetchAnsible } from "../tools/ansible.mjs";
import { fetchCloudInit } from "../tools/cloudInit.mjs";
import { fetchFromDebian } from "../tools/debian.mjs";
import { exec, versionOf, which } from "../tools/exec.mjs";
import { machineSteps } from "../tools/machineImage.mjs";
import { fetchMoto, motoVersion } from "../tools/moto.mjs";
import { fetchNatsServer } from "../tools/natsServer.mjs";
import { fetchPulumi, fetchPulumiDynamic, fetchPulumiNode } from "../tools/pulumi.mjs";
import { fetchSshd, sshdVersion } from "../tools/sshd.mjs";
import { atLeast, runSteps, SetupError } from "../tools/steps.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(project, ".cache/tools/bin");
const modules = join(project, "node_modules");
const pins = JSON.parse(readFileSync(join(project, "tools/pins.json"), "utf8"));
const quiet = process.argv.includes("--quiet");
const oldest = 20;

const lockHash = () =>
  createHash("sha256")
    .update(readFileSync(join(project, "package-lock.json")))
    .digest("hex");
const stamp = join(modules, ".tutti-lock");

const packages = {
  name: "npm packages",
  done: () => existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash() && "as in package-lock.json",
  async act() {
    if (!which("npm"))
      throw new SetupError("npm is not on PATH", `install Node ${oldest} or newer with npm and run this again`);
    // No package of ours needs an install script, and a foreign one must not get the chance.
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await exec("npm", args, { cwd: project }).catch((cause) => {
      throw new SetupError(`npm ci failed: ${cause.message}`, "check the network and npm's registry setting", cause);
    });
    writeFileSync(stamp, lockHash());
    return "installed";
  },
};

const node = {
  name: "Node",
  async done() {
    const own = join(modules, ".bin/node");
    const found = existsSync(own) ? own : process.execPath;
    const version = await versionOf(found);
    if (version && atLeast(version, pins.node.atLeast)) return version;
    const hint = `install Node >= ${pins.node.atLeast} and run this again`;
    throw new SetupError(
      `Node ${version ?? "?"} is too old and none is packaged for ${process.platform} ${process.arch}`,
      hint,
    );
  },
};

// `npx tutti` looks for the command among the installed packages first.
const command = {
  name: "command",
  done: () => existsSync(join(modules, ".bin/tutti")) && "npx tutti",
  act() {
    rmSync(join(modules, ".bin/tutti"), { force: true });
    symlinkSync("../../bin/tutti.mjs", join(modules, ".bin/tutti"));
    return "npx tutti";
  },
};

function program(name, fetch, args) {
  const target = join(bin, name);
  const pin = pins[name];
  const good = async (path) => {
    const version = path && (await versionOf(path, args));
    return version && atLeast(version, pin.atLeast) ? version : undefined;
  };
  return {
    name,
    done: async () => (existsSync(target) ? await good(target) : undefined),
    async act() {
      rmSync(target, { force: true });
      mkdirSync(bin, { recursive: true });
      const own = which(name);
      const version = await good(own);
      if (!version) return await fetch(pin, target);
      symlinkSync(own, target);
      return `${version}, the machine's own`;
    },
  };
}

/** A part of the engine: the machine's own counts only together with the engine it belongs to. */
function enginePart(name, fetch) {
  const target = join(bin, name);
  return {
    name,
    done: () => (existsSync(target) && "is there") || (which("pulumi") && which(name) && "the machine's own"),
    async act() {
      mkdirSync(bin, { recursive: true });
      return await fetch(pins[name], target);
    },
  };
}

const moto = {
  name: "moto",
  done: async () =>
    (await motoVersion(join(bin, "moto-python"))) === pins["moto-python"].fetch && "as in tools/moto.txt",
  act: () => fetchMoto(pins["moto-python"], join(bin, "moto-python")),
};

/** A program whose version has a way of its own to be asked for, and that no machine's own stands in for unseen. */
function fetched(name, fetch, version) {
  const target = join(bin, name);
  return {
    name,
    done: async () => existsSync(target) && (await version(target)),
    async act() {
      mkdirSync(bin, { recursive: true });
      return await fetch(pins[name], target);
    },
  };
}

const asked = (flag) => process.argv.includes(flag);
const steps = [
  packages,
  node,
  command,
  program("nats-server", fetchNatsServer),
  program("haproxy", fetchFromDebian, ["-v"]),
  // The load generator of the benchmarks.
  ...(asked("--bench") ? [program("wrk", fetchFromDebian, ["-v"])] : []),
  // What first contact is tried against and, in the benchmarks, compared with.
  ...(asked("--test") || asked("--bench") ? [fetched("sshd", fetchSshd, sshdVersion)] : []),
  ...(asked("--bench") ? [fetched("ansible-playbook", fetchAnsible, ansibleVersion)] : []),
  // What checks user data.
  ...(asked("--test") ? [program("cloud-init", fetchCloudInit), program("shellcheck", fetchFromDebian)] : []),
  // The ground, offline: Pulumi's engine where the machine has none, and the EC2 API.
  ...(asked("--test") || asked("--ground") || asked("--machines")
    ? [
        program("pulumi", fetchPulumi, ["version"]),
        enginePart("pulumi-language-nodejs", fetchPulumiNode),
        enginePart("pulumi-resource-pulumi-nodejs", fetchPulumiDynamic),
        moto,
      ]
    : []),
  // Machines that boot here: their image, and what makes and runs them.
  ...(asked("--test") || asked("--machines") ? machineSteps({ bin, pins, project }) : []),
];
// On a terminal, what takes its time is told while it does.
const live = process.stderr.isTTY && process.env.TERM !== "dumb";
const print = (line, there) =>
  quiet && there ? undefined : process.stderr.write(`${live ? "\r\u001b[K" : ""}${line}\n`);
const begin = (name) => live && process.stderr.write(`  ${name.padEnd(14)} fetching …`);
try {
  if (Number.parseInt(process.versions.node, 10) < oldest)
    throw new SetupError(`this is Node ${process.versions.node}`, `install Node ${oldest} or newer and run this again`);
  await runSteps(steps, print, begin);
} catch (error) {
  process.stderr.write(
    `${live ? "\r\u001b[K" : ""}set-up: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ""}`,
  );
  if (!(error instanceof SetupError)) throw error;
  process.exitCode = 1;
}
