/** `10.20.0.0/20` → its base as a number, and how many addresses it has. */
export function rangeOf(cidr: string): { base: number; size: number; bits: number } {
  const [address = "", prefix = "32"] = cidr.split("/");
  const bits = Number(prefix);
  const size = 2 ** (32 - bits);
  return { base: Math.floor(toNumber(address) / size) * size, size, bits };
}

/** The nth address of a network: 1 is its gateway, and 2 of the whole network its resolver. */
export function nth(cidr: string, n: number): string {
  return toText(rangeOf(cidr).base + n);
}

/** `10.20.0.0/20` → `255.255.240.0`. */
export function maskOf(cidr: string): string {
  return toText(2 ** 32 - rangeOf(cidr).size);
}

/** True when the networks share an address. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.base < b.base + b.size && b.base < a.base + a.size;
}

export function bytesOf(address: string): number[] {
  return address.split(".").map(Number);
}

function toNumber(address: string): number {
  return bytesOf(address).reduce((sum, part) => sum * 256 + part, 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
