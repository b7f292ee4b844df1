// The part of the boot that reads and writes JSON. Runs on the Node that came with the agent.
import { existsSync, readFileSync, renameSync, statfsSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
/** Half, in steps that keep a few MiB more or less at the next boot from making another node of it. */
const half = (mib) => Math.max(64, Math.floor(mib / 2 / 64) * 64);

/** birth.json and the machine's facts → node.json. */
function writeNode([birthFile, factsFile, nodeFile, home, tools]) {
  const { node, cores, ca, claim } = read(birthFile);
  const facts = read(factsFile);
  const old = known(nodeFile);
  makeWay(old, node, home);
  const disk = statfsSync(dirname(home));
  const whole = {
    memory: half(totalmem() / 2 ** 20),
    disk: half((disk.blocks * disk.bsize) / 2 ** 20),
    ...node,
    zone: node.zone === "default" ? facts.zone : node.zone,
    address: facts.address,
    ...(node.roles.includes("router") && { bind: "0.0.0.0" }),
    ...{ home, tools },
    ...(cores.length > 0 && { join: { cores, ca, claim, instance: facts.instance } }),
  };
  const text = `${JSON.stringify(whole, undefined, 2)}\n`;
  if (old && old.address !== whole.address) console.log(`the address was ${old.address} and is ${whole.address} now`);
  if (old && readFileSync(nodeFile, "utf8") === text) return console.log("node.json is as it should be");
  // On the disk before it has its name: the power may go at any moment.
  writeFileSync(`${nodeFile}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${nodeFile}.new`, nodeFile);
  console.log(`node.json: ${whole.id} at ${whole.address}, ${whole.memory} MiB of memory, ${whole.disk} MiB of disk`);
}

/** What a cut in the power has left half written is as good as nothing. */
function known(file) {
  try {
    return read(file);
  } catch {
    return undefined;
  }
}

/** An image made of a running node carries that node's memory, which is not this one's. */
function makeWay(old, node, home) {
  if (!old || old.id === node.id || !existsSync(home)) return;
  const aside = `${home}.of-${old.id}-${Date.now()}`;
  renameSync(home, aside);
  console.log(`this machine's disk was the node ${old.id}: what it knew is in ${aside}`);
}

/** Whether a file is the identity of the cluster that this machine was born into. Says nothing of what is in it. */
function checkAuthority([birthFile, file]) {
  const { ca } = read(birthFile);
  if (isAuthority(file, ca)) return;
  console.log(`${file} is not the identity of this cluster`);
  process.exitCode = 1;
}

function isAuthority(file, ca) {
  try {
    const { certificate, key, join } = read(file);
    return Boolean(certificate.trim() === ca.trim() && key && join);
  } catch {
    return false;
  }
}

/** Waits until the agent says that all of its components are ready. */
async function awaitReady([statusFile, seconds]) {
  const deadline = Date.now() + Number(seconds) * 1000;
  for (;;) {
    const { pid, components = [] } = existsSync(statusFile) ? read(statusFile) : {};
    const said = isAgent(pid) ? components : [];
    if (said.length > 0 && said.every(({ state }) => state === "ready"))
      return console.log(`ready: ${said.map(({ name }) => name).join(", ")}`);
    if (Date.now() > deadline) return tooLate(said, seconds);
    await sleep(200);
  }
}

/** Whether the one who wrote the status lives: after a power cut there is one of an agent that does not. */
function isAgent(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("agent/main.mjs");
  } catch {
    return false;
  }
}

function tooLate(components, seconds) {
  // Nothing here has failed: a person, or a core that a person has not finished, lets this machine in when it is time.
  const waiting = components.find(({ name, state }) => name === "identity" && state === "starting");
  if (waiting) return console.log(`waits to be let in: ${waiting.reason}\n${waiting.hint}`);
  for (const { name, state, reason = "", hint = "" } of components) console.log(`${name}: ${state} ${reason} ${hint}`);
  if (components.length === 0) console.log("the agent has not said anything: journalctl --unit tutti");
  console.log(`not ready within ${seconds} s`);
  process.exitCode = 1;
}

const [verb, ...args] = process.argv.slice(2);
await { node: writeNode, authority: checkAuthority, ready: awaitReady }[verb](args);
