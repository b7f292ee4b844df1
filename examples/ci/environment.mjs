#!/usr/bin/env node
// A cluster for a branch: made, tried, removed. A CI job runs it, and so may you:
//
//   BRANCH=feature/login OWNER=me@example.com node examples/ci/environment.mjs up smoke down --offline
//
// The words are done in order. Settings are variables of the environment:
//   BRANCH, OWNER   whose it is (on GitHub they are known)
//   HOURS           how long it may live, whatever becomes of this job (default 4)
//   BUDGET          dollars a month that it may cost (default 100)
//   DOMAIN, ZONE    the domain below which branches get theirs, and its Route 53 zone (default: no names at all)
//   TUTTI_BUNDLE    the agent, if not the newest that was made here
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { env } = process;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const branch = env.BRANCH || env.GITHUB_HEAD_REF || env.GITHUB_REF_NAME || "local";
const name = nameFor(branch);
const domain = `${name}.${env.DOMAIN || "example.com"}`;
const offline = process.argv.includes("--offline") ? ["--offline"] : [];
const template = readFileSync(here("cluster.yaml"), "utf8");
const region = /^ {2}region: (\S+)/m.exec(template)?.[1] ?? "";
const tutti = [process.execPath, here("../../bin/tutti.mjs")];

const acts = {
  async up() {
    await $`${tutti} cost ${spec()} --budget ${env.BUDGET || "100"}`;
    // What was swept since the last time is forgotten first. A branch that is new has nothing to look at.
    await $`${tutti} refresh ${spec()} ${offline} --json`.catch(unless("no_stack"));
    await $`${tutti} up ${spec()} --yes ${offline}`;
  },

  async smoke() {
    const where = offline.length ? offline : ["--region", region];
    const { nodes } = JSON.parse(await $`${tutti} node list --from ec2 --cluster ${name} ${where} --json`);
    const roles = nodes.filter(({ state }) => state === "running").flatMap((node) => node.roles);
    for (const role of ["core", "controller", "router", "stager", "dea"])
      if (!roles.includes(role)) throw new Error(`no machine of ${name} that runs has the role ${role}`);
    if (offline.length || !env.ZONE)
      return say("the machines run; without names (ZONE) nobody can ask what is on them");
    await $`${tutti} target ${`http://api.${domain}`}`;
    await $`${tutti} ready --block 900`;
    const answer = await fetch(`http://api.${domain}/v3/info`);
    if (!answer.ok) throw new Error(`the API answers with ${answer.status}`);
  },

  async down() {
    try {
      await $`${tutti} destroy ${spec()} --yes ${offline}`;
    } catch (error) {
      // The state is lost or torn: then by the tags, and what the state still knows of is gone by the next try.
      say(`${error.message}; going by the tags instead`);
      const where = offline.length ? offline : ["--region", region];
      await $`${tutti} sweep --cluster ${name} --everything --yes ${where}`;
      await $`${tutti} destroy ${spec()} --yes ${offline}`;
    }
  },
};

/** `feature/Login_Form` → `ci-feature-login-form`: as a cluster may be called, with room for what its parts add. */
function nameFor(text) {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `ci-${slug.replace(/^-/, "").slice(0, 24).replace(/-$/, "")}`;
}

/** Path of this branch's cluster.yaml, written anew: it lives longer with every `up`. */
function spec() {
  const expires = new Date(Date.now() + Number(env.HOURS || 4) * 3_600_000).toISOString();
  const owner = env.OWNER || env.GITHUB_ACTOR || userInfo().username;
  const zone = env.ZONE ? `\n  dns: { zone: ${env.ZONE} }` : "";
  const text = template
    .replace(/^name: .*/m, `name: ${name}`)
    .replace(/^domain: .*/m, `domain: ${domain}`)
    .replace(/^ {2}owner: .*/m, `  owner: ${JSON.stringify(owner)}`)
    .replace(/^ {2}expires: .*/m, `  expires: ${JSON.stringify(expires)}${zone}`);
  const folder = join(tmpdir(), `tutti-${name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cluster.yaml"), text);
  return join(folder, "cluster.yaml");
}

/** Runs a command. What is put in is one word, or several when it is an array. Resolves to what it has printed. */
async function $(texts, ...values) {
  const argv = texts.flatMap((text, i) => [...text.split(/\s+/).filter(Boolean), ...[values[i] ?? []].flat()]);
  const [program, ...args] = argv;
  const words = args.filter((word) => !word.endsWith("tutti.mjs"));
  say(`$ tutti ${words.join(" ")}`);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env });
  let out = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    out += chunk;
    if (!words.includes("--json")) process.stdout.write(chunk);
  }
  const code = child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)));
  if (code === 0) return out;
  throw Object.assign(new Error(`tutti ${words[0]} ended with ${code}`), { out });
}

/** For `catch`: this one error is none here. */
function unless(code) {
  return (error) => {
    if (JSON.parse(error.out || "{}").error?.code !== code) throw error;
  };
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

const words = process.argv.slice(2).filter((word) => word !== "--offline");
try {
  if (words.length === 0) throw new Error("say what to do: up, smoke, down");
  for (const word of words) {
    if (!Object.hasOwn(acts, word)) throw new Error(`"${word}" is none of up, smoke, down`);
    await acts[word]();
  }
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
}
