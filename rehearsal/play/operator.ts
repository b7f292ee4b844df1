import { run } from "../room/programs.ts";
import { gateway, publicPool } from "../vpc/layout.ts";

/**
 * The person stands where `cluster.yaml` lets ssh in from: the first address of the first network gets a place in the
 * room, so that the firewall is asked the same question as on EC2.
 */
export async function standAt(networks: readonly string[]): Promise<void> {
  const [network] = networks;
  if (!network || network.endsWith("/0")) return;
  const address = firstHost(network);
  await run("ip", ["address", "replace", `${address}/32`, "dev", "lo"]);
  await run("ip", ["route", "replace", publicPool, "via", gateway, "src", address]);
}

/** `203.0.113.0/24` → `203.0.113.1`; a single address is itself. */
export function firstHost(network: string): string {
  const [address = "", bits = "32"] = network.split("/");
  if (Number(bits) >= 31) return address;
  const parts = address.split(".").map(Number);
  return [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join(".");
}
