import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { type Running, start } from "../../agent/run/runner.ts";
import { attempt } from "../../rehearsal/room/programs.ts";
import { nth, rangeOf } from "../../rehearsal/vpc/addresses.ts";
import type { Host, Picture } from "../../rehearsal/vpc/picture.ts";
import { type Vpc, vpc } from "../../rehearsal/vpc/vpc.ts";
import { recordingLog } from "./recordingLog.ts";

// A process in a closed room: it makes the network there and does what the test outside asks for, by lines of JSON.

interface Asked {
  readonly id: number;
  readonly call: string;
  readonly args: readonly unknown[];
}

const log = recordingLog();
const servers: ChildProcess[] = [];
let running: Running | undefined;
let net: Vpc | undefined;

const calls: Record<string, (...args: never[]) => unknown> = {
  async begin() {
    // What the operator serves to machines: it only hears the loopback.
    const service = createServer((request, response) => response.end(`service ${request.url}\n`)).listen(
      0,
      "127.0.0.1",
    );
    await once(service, "listening");
    const { port } = service.address() as AddressInfo;
    net = vpc({ log, service: { address: "127.0.0.1", port }, onSaid: (said) => log.info(said, "said") });
    running = start(net.runner);
    await running.ready;
  },
  apply: (picture: Picture) => net?.apply(picture),
  /** A fake machine: its own network namespace, set up as DHCP would. */
  async plug(host: Host) {
    await net?.plug(host);
    const { bits } = rangeOf(host.subnet.cidr);
    const lines = ["link set lo up", `addr add ${host.privateAddress}/${bits} dev ens5`, "link set ens5 up"];
    const input = [...lines, `route add default via ${nth(host.subnet.cidr, 1)}`].join("\n");
    return attempt("ip", ["-n", host.id, "-batch", "-"], { input });
  },
  unplug: (id: string) => net?.unplug(id),
  cut: (id: string) => net?.cut(id),
  heal: (id: string) => net?.heal(id),
  name: (names: Record<string, string>) => net?.name(names),
  /** Runs a script of the shell in a network namespace; "" is the operator's. */
  // bash takes a socket as its input for a login from afar, and would read the person's settings.
  sh: (space: string, script: string) =>
    space
      ? attempt("nsenter", [`--net=/run/netns/${space}`, "bash", "--norc", "-c", script])
      : attempt("bash", ["--norc", "-c", script]),
  /** Listens on TCP ports and tells each caller by which address it came. */
  async serve(space: string, ports: readonly number[]) {
    const code = `let left = ${ports.length}; for (const port of ${JSON.stringify(ports)}) require("node:net")
      .createServer((s) => { s.on("error", () => {}); s.write(s.remoteAddress + "\\n"); s.on("data", (d) => s.write(d)); })
      .listen(port, "0.0.0.0", () => --left || console.log("up"));`;
    const inside = space ? ["nsenter", `--net=/run/netns/${space}`] : [];
    const [program = "", ...args] = [...inside, process.execPath, "-e", code];
    const server = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    servers.push(server);
    await once(server.stdout, "data");
  },
  log: () => log.lines,
  async end() {
    for (const server of servers) server.kill();
    await running?.stop();
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, call, args } = JSON.parse(line) as Asked;
  const outcome = await Promise.try(() => calls[call]?.(...(args as never[]))).then(
    (result) => ({ result }),
    (error: Error) => ({ error: `${error.message}\n${error.stack}` }),
  );
  process.stdout.write(`${JSON.stringify({ id, ...outcome })}\n`);
  if (call === "end") process.exit(0);
});
