// The few words of DER (X.690) that a certificate is written in.

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const hex = size.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

/** One value: tag, length, content. */
export function value(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

export const sequence = (...content: readonly Buffer[]): Buffer => value(0x30, ...content);
export const set = (...content: readonly Buffer[]): Buffer => value(0x31, ...content);
export const octets = (content: Buffer): Buffer => value(0x04, content);
export const truth: Buffer = value(0x01, Buffer.from([0xff]));
export const text = (content: string): Buffer => value(0x0c, Buffer.from(content, "utf8"));
/** `[n]`, constructed. */
export const tagged = (n: number, ...content: readonly Buffer[]): Buffer => value(0xa0 | n, ...content);

/** A number that is not negative, highest byte first: with as few bytes as will do, and a zero where a sign would be. */
export function integer(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = start < 0 ? Buffer.from([0]) : bytes.subarray(start);
  return value(0x02, (short[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

export function bits(content: Buffer, unused = 0): Buffer {
  return value(0x03, Buffer.from([unused]), content);
}

/** `1.3.101.112` → its encoding. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(number: number): number[] {
  const digits = [number % 128];
  for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift((left % 128) | 0x80);
  return digits;
}

/** An instant, as RFC 5280 wants it: two digits of the year until 2049, four from then on. */
export function time(at: Date): Buffer {
  const all = at.toISOString().replace(/[-:T]|\.\d+/g, "");
  return at.getUTCFullYear() < 2050 ? value(0x17, Buffer.from(all.slice(2))) : value(0x18, Buffer.from(all));
}

/** The values that a constructed one consists of, each with its tag and length. Throws when it is cut short. */
export function parts(constructed: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let rest = contentOf(constructed).content; rest.length > 0; ) {
    const { end } = contentOf(rest);
    found.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return found;
}

function contentOf(der: Buffer): { content: Buffer; end: number } {
  const first = der.readUInt8(1);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const size = more === 0 ? first : der.readUIntBE(2, more);
  const end = 2 + more + size;
  if (end > der.length) throw new RangeError("a value is cut short");
  return { content: der.subarray(2 + more, end), end };
}
