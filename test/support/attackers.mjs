// node attackers.mjs COUNT DOMAIN: in the room of a rehearsal, from before there is a machine, COUNT attackers try to be
// the first user of a cluster, by every door: the router's public address, and the controller's port on public and
// private addresses, from where the person stands and as root of each DEA's machine. Until its input ends; then it
// prints what they got: {<place> <door>: {<status or error>: times}}.
// node attackers.mjs --from PLACE COUNT DOMAIN: those at one place; they read the addresses, a line each, from their input.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";

const path = "/stackato/license";
const patience = 1500;

/** Each with another lie about where it comes from. */
const lies = [
  {},
  { "x-forwarded-for": "127.0.0.1" },
  { "x-forwarded-for": "127.0.0.1, ::1", "x-real-ip": "127.0.0.1", forwarded: "for=127.0.0.1" },
  { origin: "http://127.0.0.1:9022" },
];

function post({ door, host, headers }, number) {
  const form = {
    email: `attacker-${number}@example.com`,
    password: `attacker ${number} wins`,
    unix_password: "password",
  };
  const body = JSON.stringify(form);
  const { promise, resolve } = Promise.withResolvers();
  const options = {
    method: "POST",
    agent: false,
    rejectUnauthorized: false,
    timeout: patience,
    headers: { host, "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers },
  };
  const one = (door.startsWith("https:") ? secure : plain)(`${door}${path}`, options, (answer) => {
    answer.on("error", ({ code }) => resolve(code)).on("end", () => resolve(answer.statusCode));
    answer.resume();
  });
  one.on("timeout", () => one.destroy(Object.assign(new Error(), { code: "timeout" })));
  one.on("error", ({ code, message }) => resolve(code ?? message)).end(body);
  return promise;
}

async function attack(place, attackers, domain) {
  const [addresses, seen] = [new Set(), {}];
  const count = (where, got) => {
    seen[where] = { ...seen[where], [got]: (seen[where]?.[got] ?? 0) + 1 };
  };
  let over = false;
  const doors = () => [
    ...[...addresses].map((address) => [`http://${address}`, "router"]),
    ...[...addresses].flatMap((address) => ["http", "https"].map((s) => [`${s}://${address}:9022`, "controller"])),
  ];
  const attacker = async (number) => {
    for (let turn = number; !over; turn++) {
      const all = doors();
      const [door, kind] = all[turn % all.length] ?? [];
      if (door) {
        const host = turn % 3 ? `api.${domain}` : "127.0.0.1:9022";
        const got = await post({ door, host, headers: lies[turn % lies.length] }, number);
        count(`${place} ${kind}`, got);
      }
      await sleep(200 + Math.random() * 400);
    }
  };
  const all = Array.from({ length: attackers }, (_, number) => attacker(number));
  for await (const line of createInterface({ input: process.stdin })) addresses.add(line);
  over = true;
  await Promise.all(all);
  return seen;
}

/** One more place of attackers: a process of its own, in a machine's network or in ours. */
function place(name, { count, domain, into = [] }) {
  const self = [process.execPath, import.meta.filename, "--from", name, String(count), domain];
  const [program, ...args] = [...into, ...self];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  const done = new Promise((resolve) => child.on("close", () => resolve(out)));
  const told = new Set();
  child.stdin.on("error", () => {});
  return {
    tell(addresses) {
      for (const one of addresses) if (!told.has(one)) child.stdin.write(`${one}\n`);
      for (const one of addresses) told.add(one);
    },
    async end() {
      child.stdin.end();
      return JSON.parse((await done) || "{}");
    },
  };
}

async function everywhere(count, domain) {
  let over = false;
  process.stdin.resume().on("end", () => {
    over = true;
  });
  const places = new Map([["operator", place("operator", { count: count * 0.6, domain })]]);
  const ground = join(process.env.TUTTI_HOME, "offline/ground.json");
  while (!over && !existsSync(ground)) await sleep(50);
  const { url } = over ? {} : JSON.parse(readFileSync(ground, "utf8"));
  const credentials = { accessKeyId: "rehearsal", secretAccessKey: "rehearsal" };
  const ec2 = new EC2Client({ region: "eu-central-1", endpoint: url, credentials });
  while (!over) {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({})).catch(() => ({}));
    const all = Reservations.flatMap(({ Instances = [] }) => Instances);
    const node = ({ Tags = [] }) => Tags.find(({ Key }) => Key === "tutti:node")?.Value ?? "";
    const leads = all.filter((one) => node(one).startsWith("lead"));
    for (const one of all.filter((one) => /^(work|run)/.test(node(one)) && existsSync(`/run/netns/${one.InstanceId}`)))
      if (!places.has(node(one)))
        places.set(
          node(one),
          place(node(one), { count: count * 0.2, domain, into: ["nsenter", `--net=/run/netns/${one.InstanceId}`] }),
        );
    const addresses = leads.flatMap(({ PublicIpAddress, PrivateIpAddress }) => [PublicIpAddress, PrivateIpAddress]);
    for (const one of places.values()) one.tell(addresses.filter(Boolean));
    await sleep(500);
  }
  return Object.assign({}, ...(await Promise.all([...places.values()].map((one) => one.end()))));
}

const [first, ...rest] = process.argv.slice(2);
const seen =
  first === "--from" ? await attack(rest[0], Number(rest[1]), rest[2]) : await everywhere(Number(first), rest[0]);
process.stdout.write(`${JSON.stringify(seen)}\n`);
process.exit();
