import { Fault } from "../../agent/run/fault.ts";
import { run } from "../room/programs.ts";

/** The network here is somebody's: this is no closed room. */
export class OpenNetwork extends Fault {
  override name = "OpenNetwork";
}

/** Throws OpenNetwork where a cable leads out: routes and addresses of ours must not be made on a computer itself. */
export async function refuseOpenNetwork(): Promise<void> {
  const links = JSON.parse((await run("ip", ["-json", "link"])) || "[]") as { ifname: string }[];
  const foreign = leadingOut(links.map(({ ifname }) => ifname));
  if (foreign.length === 0) return;
  throw new OpenNetwork(`the cloud's network is made in closed rooms only, and here is ${foreign.join(", ")}`, {
    ...{ code: "not_in_a_room", hint: "start the program with enterRoom (rehearsal/room)" },
  });
}

/** Those of the interfaces that lead somewhere. */
export function leadingOut(names: readonly string[]): string[] {
  return names.filter((name) => !harmless.has(name));
}

/** What the kernel puts into each new network namespace by itself. */
const harmless = new Set([
  "lo",
  "tunl0",
  "gre0",
  "gretap0",
  "erspan0",
  "sit0",
  "ip6tnl0",
  "ip6gre0",
  "ip_vti0",
  "ip6_vti0",
]);
