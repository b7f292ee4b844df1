import type { Permission, SecurityGroup } from "./picture.ts";

type Direction = "inward" | "outward";

/** One group's rules of one direction, each as a line that returns to the caller what it permits. */
export function permitted(
  group: SecurityGroup,
  direction: Direction,
  all: readonly Pick<SecurityGroup, "id">[],
): string[] {
  const [own, other] = direction === "inward" ? ["daddr", "saddr"] : ["saddr", "daddr"];
  const known = new Set(all.map(({ id }) => id));
  const lines = group[direction].flatMap((permission) => {
    const matched = match(permission);
    if (matched === undefined) return [];
    const sides = [
      ...permission.cidrs.map(network),
      // A group that is gone has no members.
      ...permission.groups.filter((id) => known.has(id)).map((id) => `@${id}`),
    ];
    return sides.map((side) => line(`ip ${own} @${group.id}`, side && `ip ${other} ${side}`, matched, "return"));
  });
  return [...new Set(lines)];
}

/** Everywhere needs no condition. */
const network = (cidr: string) => (cidr.endsWith("/0") ? "" : cidr);

const line = (...words: string[]) => words.filter((word) => word !== "").join(" ");

const numbers: Readonly<Record<string, string>> = { "1": "icmp", "6": "tcp", "17": "udp" };

/** The permission's condition on protocol and ports; "" for any; undefined for what can't come by here. */
function match({ protocol, first = -1, last = first }: Permission): string | undefined {
  const name = numbers[protocol] ?? protocol;
  if (name === "-1") return "";
  if (name === "tcp" || name === "udp") return ports(name, first, last);
  if (name === "icmp") return icmp(first, last);
  // Of other protocols EC2 knows no ports either. IPv6 is not spoken here.
  return /^\d+$/.test(name) ? `ip protocol ${name}` : undefined;
}

function ports(protocol: string, first: number, last: number): string {
  if (first < 0 || (first === 0 && last === 65535)) return `ip protocol ${protocol}`;
  return `${protocol} dport ${first === last ? first : `${first}-${last}`}`;
}

function icmp(type: number, code: number): string {
  if (type < 0) return "ip protocol icmp";
  return code < 0 ? `icmp type ${type}` : `icmp type ${type} icmp code ${code}`;
}
