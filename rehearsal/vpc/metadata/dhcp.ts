import { bytesOf, maskOf, nth } from "../addresses.ts";
import { mtu } from "../layout.ts";
import type { Host } from "../picture.ts";

// DHCP as in RFC 2131, as far as a server goes that knows beforehand who gets what.

const kinds = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6 } as const;
const cookie = 0x63825363;

export interface Question {
  /** Type of the message. */
  readonly kind: number;
  readonly mac: string;
  /** The address that it wants or has; undefined when it names none. */
  readonly address?: string;
  readonly packet: Buffer;
}

/** A packet → what is asked; undefined for what is no question of DHCP. */
export function read(packet: Buffer): Question | undefined {
  if (packet.length < 244 || packet[0] !== 1 || packet.readUInt32BE(236) !== cookie) return undefined;
  const options = optionsOf(packet.subarray(240));
  const kind = options.get(53)?.[0];
  if (kind === undefined) return undefined;
  const mac = [...packet.subarray(28, 34)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  const wanted = options.get(50) ?? packet.subarray(12, 16);
  const address = [...wanted].join(".");
  return { kind, mac, packet, ...(address !== "0.0.0.0" && { address }) };
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length && bytes[at] !== 255; ) {
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    options.set(bytes[at] ?? 0, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

/** The packet for a machine; undefined when there is nothing to say. */
export function reply({ kind, address, packet }: Question, host: Host): Buffer | undefined {
  if (kind === kinds.discover) return message(kinds.offer, packet, host);
  if (kind !== kinds.request) return undefined;
  // It remembers another address, of before it was stopped: without a no it would go on with that.
  const other = address !== undefined && address !== host.privateAddress;
  return message(other ? kinds.nak : kinds.ack, packet, host);
}

function message(kind: number, question: Buffer, host: Host): Buffer {
  const server = bytesOf(nth(host.subnet.cidr, 1));
  const head = Buffer.alloc(240);
  head.set([2, 1, 6]);
  // Transaction, and whether it can only hear a broadcast; the hardware's address.
  question.copy(head, 4, 4, 8);
  question.copy(head, 10, 10, 12);
  question.copy(head, 28, 28, 44);
  head.writeUInt32BE(cookie, 236);
  const common = [...option(53, [kind]), ...option(54, server)];
  if (kind === kinds.nak) return Buffer.concat([head, Buffer.from([...common, 255])]);
  head.set(bytesOf(host.privateAddress), 16);
  head.set(server, 20);
  return Buffer.concat([head, Buffer.from([...common, ...settings(host, server), 255])]);
}

function settings({ subnet, network, privateName }: Host, router: number[]): number[] {
  const [name = "", ...domain] = privateName.split(".");
  return [
    ...option(51, [0, 0, 14, 16]), // an hour
    ...option(1, bytesOf(maskOf(subnet.cidr))),
    ...option(3, router),
    ...option(6, bytesOf(nth(network.cidr, 2))),
    ...option(12, [...Buffer.from(name)]),
    ...option(15, [...Buffer.from(domain.join("."))]),
    ...option(26, [mtu >> 8, mtu & 255]),
  ];
}

const option = (code: number, value: readonly number[]) => [code, value.length, ...value];
