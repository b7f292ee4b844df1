import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { inner, machineResolver, metadata } from "../layout.ts";
import type { Host } from "../picture.ts";
import { answer } from "./answer.ts";
import { vault } from "./credentials.ts";
import { read, reply } from "./dhcp.ts";
import { type Names, resolve } from "./dns.ts";
import { tokens } from "./tokens.ts";
import type { Said, Told } from "./told.ts";

// A process in the router's network namespace: the services that a machine finds there without any security group
// letting it. It is told by lines on its standard input what there is, and ends with that input.

const here: { hosts: readonly Host[]; names: Names } = { hosts: [], names: {} };
const memory = { tokens: tokens(), vault: vault() };
const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);

const web = createServer((request, response) => {
  const address = request.socket.remoteAddress ?? "";
  const { method = "", url = "", headers } = request;
  const host = here.hosts.find(({ privateAddress }) => privateAddress === address);
  const {
    status,
    body,
    headers: own,
  } = host ? answer(host, { method, url, headers }, memory, Date.now()) : { status: 404, body: "", headers: {} };
  say({ said: "asked", id: host?.id, address, what: `${method} ${url}`, status });
  response.writeHead(status, { server: "EC2ws", "content-length": Buffer.byteLength(body), ...own });
  response.end(method === "HEAD" ? undefined : body);
});

async function giveAddresses(): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (packet) => {
    const question = read(packet);
    const host = here.hosts.find(({ mac }) => mac === question?.mac);
    const message = question && host && reply(question, host);
    if (!message) return;
    // To all: who asks has no address by which it could be reached.
    socket.send(message, 68, "255.255.255.255");
    say({ said: "leased", id: host.id, address: host.privateAddress });
  });
  socket.bind(67, "0.0.0.0");
  await once(socket, "listening");
  socket.setBroadcast(true);
}

/** Bound to its address: bound to all, it would answer by another one, which the caller does not take. */
async function giveNames(address: string): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (packet, { port, address: caller }) => {
    const message = resolve(packet, here.names);
    if (message) socket.send(message, port, caller);
  });
  socket.bind(53, address);
  await once(socket, "listening");
}

createInterface({ input: process.stdin })
  .on("line", (line) => Object.assign(here, JSON.parse(line) as Told))
  .on("close", () => process.exit(0));
// cloud-init asks for a hundred things in a row.
web.keepAliveTimeout = 30_000;
web.listen(80, metadata);
await Promise.all([once(web, "listening"), giveAddresses(), giveNames(machineResolver), giveNames(inner.router)]);
say({ said: "ready" });
