import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { programPath } from "../../rehearsal/room/programs.ts";
import { enterRoom, type Room } from "../../rehearsal/room/room.ts";
import type { Host, Picture, SecurityGroup } from "../../rehearsal/vpc/picture.ts";

/** Why no room with a network can be made here; undefined when one can. */
export function noNetworkHere(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may make networks: run the tests as root to have these too";
  const missing = ["nft", "ip", "nsenter", "unshare", "setpriv"].filter((name) => !programPath(name));
  return missing.length > 0 ? `not installed: ${missing.join(", ")}` : undefined;
}

/** A program in a closed room that answers calls. */
export interface Caller {
  readonly room: Room;
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  end(): Promise<void>;
}

/** Starts a program of test/support in a closed room. */
export async function callRoom(program: string, env: NodeJS.ProcessEnv = {}): Promise<Caller> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-room-"));
  const room = await enterRoom({
    command: process.execPath,
    args: [fileURLToPath(new URL(program, import.meta.url))],
    env: { ...process.env, ...env },
    folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { stdin, stdout } = room.process;
  if (!stdin || !stdout) throw new Error("the room has no streams");
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  createInterface({ input: stdout }).on("line", (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    if (error) waiting.get(id)?.reject(new Error(error));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  room.exited.finally(() => {
    for (const { reject } of waiting.values()) reject(new Error("the room ended"));
  });
  const call = <T>(name: string, ...args: unknown[]): Promise<T> => {
    const answer = Promise.withResolvers<unknown>();
    waiting.set(++last, answer);
    stdin.write(`${JSON.stringify({ id: last, call: name, args })}\n`);
    return answer.promise as Promise<T>;
  };
  const end = async () => {
    await call("end").catch(() => {});
    await room.stop();
    if (existsSync(folder)) await rm(folder, { recursive: true, force: true });
  };
  return { room, call, end };
}

/** How a connection went: what the server said, or why there is none. */
export type Reached = "refused" | "times out" | "no way" | (string & {});

/** The network of a rehearsal with fake machines: network namespaces with small servers. */
export interface Lab extends Caller {
  apply(picture: Picture): Promise<void>;
  plug(...hosts: Host[]): Promise<void>;
  /** Connects from a machine, or from the operator (""), and reads a line: a server of the lab tells who came. */
  reach(from: string, address: string, port: number): Promise<Reached>;
  sh(space: string, script: string): Promise<{ code: number; out: string }>;
}

export async function vpcLab(): Promise<Lab> {
  const caller = await callRoom("vpcRoom.ts");
  await caller.call("begin");
  const sh: Lab["sh"] = (space, script) => caller.call("sh", space, script);
  return {
    ...caller,
    sh,
    apply: (picture) => caller.call("apply", picture),
    plug: async (...hosts) => {
      for (const host of hosts) await caller.call("plug", host);
    },
    reach: async (from, address, port) => {
      const script = `exec 3<>/dev/tcp/${address}/${port} && read -r line <&3 && echo "$line"`;
      const { code, out } = await sh(from, `timeout 1.5 bash --norc -c '${script}'`);
      if (code === 124) return "times out";
      if (out.includes("refused")) return "refused";
      return code === 0 ? out.trim() : "no way";
    },
  };
}

export const network = {
  id: "vpc-1",
  cidr: "10.20.0.0/16",
  subnets: [
    { id: "subnet-a", cidr: "10.20.0.0/20" },
    { id: "subnet-b", cidr: "10.20.16.0/20" },
  ],
} as const;

export const all = { protocol: "-1", cidrs: ["0.0.0.0/0"], groups: [] };
export const tcp = (port: number, from: { cidrs?: string[]; groups?: string[] }) => ({
  ...{ protocol: "tcp", first: port, last: port, cidrs: [], groups: [], ...from },
});

export function securityGroup(id: string, inward: SecurityGroup["inward"], outward = [all]): SecurityGroup {
  return { id, inward, outward };
}

/** A machine number n of subnet a (10.20.0.n) or b (10.20.16.n), with the public address 54.214.0.n. */
export function host(n: number, groups: readonly string[], more: Partial<Host> = {}): Host {
  const id = `i-${String(n).padStart(17, "0")}`;
  const privateAddress = `10.20.0.${n}`;
  return {
    id,
    mac: `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`,
    nic: `eni-${n}`,
    privateAddress,
    privateName: `ip-${privateAddress.replaceAll(".", "-")}.eu-central-1.compute.internal`,
    publicAddress: `54.214.0.${n}`,
    publicName: `ec2-54-214-0-${n}.eu-central-1.compute.amazonaws.com`,
    network: { id: network.id, cidr: network.cidr },
    subnet: network.subnets[0],
    groups: groups.map((group) => ({ id: group, name: `name of ${group}` })),
    access: { enabled: true, token: true, hops: 1 },
    launch: {
      ...{ image: "ami-1", type: "t3.medium", architecture: "x86_64", account: "123456789012" },
      ...{ region: "eu-central-1", zone: "eu-central-1a", reservation: "r-1", index: 0, at: "2026-08-11T08:12:31Z" },
    },
    ...more,
  };
}
