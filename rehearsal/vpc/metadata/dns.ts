import { bytesOf } from "../addresses.ts";

// DNS as in RFC 1035, as far as a server goes that knows a few names and denies all others at once: a resolver that
// finds nobody to ask makes its callers wait for ten seconds, and cloud-init asks for names that are not there.

/** Name → address. `*.trio.example` is all names below, and trio.example itself. */
export type Names = Readonly<Record<string, string>>;

const types = { a: 1, aaaa: 28, any: 255 };

/** The answer to a packet; undefined for what is no question. */
export function resolve(packet: Buffer, names: Names): Buffer | undefined {
  const question = read(packet);
  if (!question) return undefined;
  const address = addressOf(question.name, names);
  const told = address !== undefined && (question.type === types.a || question.type === types.any);
  const head = Buffer.alloc(12);
  packet.copy(head, 0, 0, 2);
  // An answer, with authority; recursion as wished; no such name, or none of this type.
  const wished = (packet[2] ?? 0) & 1;
  head.writeUInt16BE(0x8480 | (wished << 8) | (address === undefined ? 3 : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(told ? 1 : 0, 6);
  return Buffer.concat([head, question.bytes, ...(told ? [record(address)] : [])]);
}

/** The address behind a name, whatever its letters' case. */
export function addressOf(asked: string, names: Names): string | undefined {
  const name = asked.toLowerCase();
  const numbers = /^(?:ip|ec2)-(\d+)-(\d+)-(\d+)-(\d+)(?:\.|$)/.exec(name)?.slice(1);
  if (numbers?.every((part) => Number(part) < 256)) return numbers.join(".");
  if (Object.hasOwn(names, name)) return names[name];
  const labels = name.split(".");
  const wild = labels.map((_, i) => `*.${labels.slice(i).join(".")}`).find((each) => Object.hasOwn(names, each));
  return wild && names[wild];
}

function read(packet: Buffer): { name: string; type: number; bytes: Buffer } | undefined {
  // One question, and it is no answer.
  if (packet.length < 17 || ((packet[2] ?? 0) & 0x80) !== 0 || packet.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    if (length > 63 || at + length + 1 >= packet.length) return undefined;
    labels.push(packet.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  if (at + 5 > packet.length) return undefined;
  return { name: labels.join("."), type: packet.readUInt16BE(at + 1), bytes: packet.subarray(12, at + 5) };
}

/** The question's name again, A, IN, five seconds, four bytes. */
const record = (address: string) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...bytesOf(address)]);
