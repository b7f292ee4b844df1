import { isIP } from "node:net";

/** Whether an address is one of this machine's own, in any of its spellings. */
export function isLoopback(address: string): boolean {
  const bare = address
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, "$1")
    .replace(/^::ffff:/i, "");
  if (isIP(bare) === 4) return bare.startsWith("127.");
  return bare === "::1";
}

/**
 * Whether a request began on this machine: its socket and every hop it names are loopback. A client can add hops in
 * front, but the router behind which it sits adds the true one.
 */
export function fromHere(socket: string | undefined, forwarded: string | string[] | undefined): boolean {
  const hops = forwarded === undefined ? [] : [forwarded].flat().join(",").split(",");
  return [socket ?? "", ...hops].every(isLoopback);
}
