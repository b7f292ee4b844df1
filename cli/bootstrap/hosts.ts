import { userInfo } from "node:os";
import { nameOf } from "../../bootstrap/knownHosts.ts";
import type { Target } from "../../bootstrap/target.ts";
import { wrongUsage } from "../fault.ts";

/** The user of Debian's images on EC2. */
export const usualUser = "admin";

/** `user@host:port` as people type it; `[::1]:22` is an address of version 6. Throws for what is none. */
export function hostTarget(typed: string, user: string | undefined): Target {
  const [, name, six, plain, port = "22"] =
    /^(?:([^@\s]+)@)?(?:\[([^\]\s]+)\]|([^:@\s]+))(?::(\d+))?$/.exec(typed.trim()) ?? [];
  const host = six ?? plain;
  const number = Number(port);
  if (!host || number < 1 || number > 65_535)
    throw wrongUsage(`--host: "${typed}" is no machine`, "user@host, or user@host:port");
  return { name: nameOf(host, number), host, port: number, user: name ?? user ?? userInfo().username };
}
