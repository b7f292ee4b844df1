import { describe, expect, it } from "vitest";
import { read, reply } from "../../rehearsal/vpc/metadata/dhcp.ts";
import { addressOf, resolve } from "../../rehearsal/vpc/metadata/dns.ts";
import { host } from "../support/vpc.ts";

const one = host(5, []);

/** A packet as dhclient sends it. */
function packet(kind: number, { requested, current }: { requested?: string; current?: string } = {}): Buffer {
  const head = Buffer.alloc(240);
  head.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
  if (current) head.set(current.split(".").map(Number), 12);
  head.set([2, 0, 0, 0, 0, 5], 28);
  head.writeUInt32BE(0x63825363, 236);
  const wanted = requested ? [50, 4, ...requested.split(".").map(Number)] : [];
  return Buffer.concat([head, Buffer.from([53, 1, kind, 0, ...wanted, 12, 3, 97, 98, 99, 255])]);
}

function answerTo(
  bytes: Buffer,
): { kind: number; address: string; options: Map<number, number[]>; raw: Buffer } | undefined {
  const question = read(bytes);
  const raw = question && reply(question, one);
  if (!raw) return undefined;
  const options = new Map<number, number[]>();
  for (let at = 240; raw[at] !== 255; at += 2 + (raw[at + 1] ?? 0))
    options.set(raw[at] ?? 0, [...raw.subarray(at + 2, at + 2 + (raw[at + 1] ?? 0))]);
  return { kind: options.get(53)?.[0] ?? 0, address: [...raw.subarray(16, 20)].join("."), options, raw };
}

describe("a machine that asks for an address", () => {
  it("is known by its interface", () => {
    expect(read(packet(1))?.mac).toBe("02:00:00:00:00:05");
  });

  it("is offered its own, with mask, router, resolver, name, and how long its frames may be", () => {
    const offer = answerTo(packet(1));
    expect(offer).toMatchObject({ kind: 2, address: "10.20.0.5" });
    expect(offer?.options.get(1)).toEqual([255, 255, 240, 0]);
    expect(offer?.options.get(3)).toEqual([10, 20, 0, 1]);
    expect(offer?.options.get(6)).toEqual([10, 20, 0, 2]);
    expect(Buffer.from(offer?.options.get(12) ?? []).toString()).toBe("ip-10-20-0-5");
    expect(Buffer.from(offer?.options.get(15) ?? []).toString()).toBe("eu-central-1.compute.internal");
    expect(offer?.options.get(26)).toEqual([0x23, 0x29]);
    expect(offer?.raw.subarray(4, 8).toString("hex")).toBe("deadbeef");
    expect(offer?.raw[0]).toBe(2);
  });

  it("gets it when it asks for that, be it new or again", () => {
    expect(answerTo(packet(3, { requested: "10.20.0.5" }))).toMatchObject({ kind: 5, address: "10.20.0.5" });
    expect(answerTo(packet(3, { current: "10.20.0.5" }))).toMatchObject({ kind: 5, address: "10.20.0.5" });
  });

  it("hears a no when it asks for another one, which it had before it was stopped", () => {
    expect(answerTo(packet(3, { requested: "10.20.0.77" }))).toMatchObject({ kind: 6, address: "0.0.0.0" });
  });

  it("hears nothing when it only gives an address back", () => {
    expect(answerTo(packet(7))).toBeUndefined();
  });

  it.each([
    ["too short", Buffer.alloc(100)],
    ["an answer", Buffer.concat([Buffer.from([2]), packet(1).subarray(1)])],
    ["of no type", Buffer.concat([packet(1).subarray(0, 240), Buffer.from([255, 0, 0, 0, 0])])],
    ["cut off", packet(3, { requested: "10.20.0.5" }).subarray(0, 246)],
    ["full of noughts", Buffer.alloc(400)],
  ])("is not disturbed by a packet that is %s", (_, bytes) => {
    expect(() => answerTo(bytes)).not.toThrow();
  });
});

const names = { "*.trio.example": "54.214.0.1", "db.trio.example": "10.20.0.9" };

function query(name: string, type = 1, more: Partial<{ flags: number; count: number }> = {}): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x1234, 0);
  head.writeUInt16BE(more.flags ?? 0x0100, 2);
  head.writeUInt16BE(more.count ?? 1, 4);
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.concat([head, Buffer.from([...labels, 0, 0, type, 0, 1])]);
}

const code = (bytes: Buffer | undefined) => (bytes ? bytes.readUInt16BE(2) & 15 : undefined);

describe("a name that a machine asks for", () => {
  it.each([
    ["api.trio.example", "54.214.0.1"],
    ["a.b.trio.example", "54.214.0.1"],
    ["trio.example", "54.214.0.1"],
    ["DB.Trio.Example", "10.20.0.9"],
    ["ip-10-20-0-5.eu-central-1.compute.internal", "10.20.0.5"],
    ["ip-10-20-0-5", "10.20.0.5"],
    ["ec2-54-214-0-5.eu-central-1.compute.amazonaws.com", "54.214.0.5"],
    ["nottrio.example", undefined],
    ["instance-data", undefined],
    ["ip-10-20-0-500.ec2.internal", undefined],
    ["constructor", undefined],
  ])("%s is %s", (name, address) => {
    expect(addressOf(name, names)).toBe(address);
  });

  it("is answered with its address", () => {
    const bytes = resolve(query("api.trio.example"), names);
    expect(bytes?.readUInt16BE(0)).toBe(0x1234);
    expect(bytes?.readUInt16BE(2)).toBe(0x8580);
    expect([...(bytes?.subarray(-4) ?? [])]).toEqual([54, 214, 0, 1]);
  });

  it("has no IPv6 address, but is there", () => {
    const bytes = resolve(query("api.trio.example", 28), names);
    expect(code(bytes)).toBe(0);
    expect(bytes?.readUInt16BE(6)).toBe(0);
  });

  it("is denied at once when nobody knows it", () => {
    expect(code(resolve(query("instance-data"), names))).toBe(3);
  });

  it.each([
    ["an answer", query("a.example", 1, { flags: 0x8180 })],
    ["no question", query("a.example", 1, { count: 0 })],
    ["cut off", query("api.trio.example").subarray(0, 20)],
    ["a label that points elsewhere", Buffer.concat([query("a").subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])],
    ["short", Buffer.alloc(5)],
  ])("is not seen in a packet that is %s", (_, bytes) => {
    expect(resolve(bytes, names)).toBeUndefined();
  });
});
