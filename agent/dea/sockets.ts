import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Listening } from "./exits.ts";
import { attempt } from "./procfs.ts";

/** Listening sockets of /proc/net/tcp or tcp6: inode → address. */
export function parseListeners(text: string): Map<string, Listening> {
  const rows = text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  const open = rows.filter((row) => row[3] === "0A");
  return new Map(open.map((row) => [row[9] ?? "", endpoint(row[1] ?? "")]));
}

function endpoint(text: string): Listening {
  const [host = "", port = ""] = text.split(":");
  const any = /^0+$/.test(host);
  // Words of 32 bits in the machine's byte order; every machine we run on is little-endian.
  const v4 = host
    .match(/../g)
    ?.toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".");
  const local = host === "00000000000000000000000001000000" ? "::1" : "an IPv6 address";
  return { port: Number.parseInt(port, 16), address: any ? "all addresses" : host.length === 8 ? (v4 ?? "") : local };
}

/** The ports on which these processes listen. */
export function listeningOf(group: readonly number[]): Listening[] {
  const open = new Map<string, Listening>();
  for (const file of ["tcp", "tcp6"])
    for (const [inode, one] of parseListeners(
      attempt(() => readFileSync(`/proc/${group[0]}/net/${file}`, "latin1")) ?? "",
    ))
      open.set(inode, one);
  const sockets = new Set(group.flatMap(socketsOf));
  return [...open].filter(([inode]) => sockets.has(inode)).map(([, one]) => one);
}

function socketsOf(pid: number): string[] {
  const names = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  const links = names.map((name) => attempt(() => readlinkSync(`/proc/${pid}/fd/${name}`)) ?? "");
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}
