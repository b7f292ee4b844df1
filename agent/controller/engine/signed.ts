import { createHmac, timingSafeEqual } from "node:crypto";

/** Milliseconds a signed address is good for. */
export const validFor = { droplet: 3_600_000, staging: 7_200_000 };

/** `path` with an expiry (Unix seconds) and a signature over both: whoever holds the address may use it until then. */
export function signed(key: string, path: string, expires: number): string {
  const at = Math.floor(expires / 1000);
  return `${path}?expires=${at}&signature=${signature(key, path, at)}`;
}

/** Whether path, expiry and signature belong together and the time has not come. */
export function isSigned(key: string, path: string, query: { expires?: unknown; signature?: unknown }, now: number) {
  const at = Number(query.expires);
  if (typeof query.signature !== "string" || !Number.isSafeInteger(at) || at * 1000 < now) return false;
  return sameText(query.signature, signature(key, path, at));
}

/** Compares in a time that does not tell where two texts differ. */
export function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

const signature = (key: string, path: string, at: number) =>
  createHmac("sha256", key).update(`${path}\n${at}`).digest("hex");
