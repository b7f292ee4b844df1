// Values as they go between engine and provider. Secrets never arrive here: the engine takes the mark off what it
// sends and puts it on what comes back under the same key.

const unknowns = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** What a preview says for a text that only `up` will know. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const signature = "4dabf18193072939515e22adb298388d";
const asset = "c44067f5952c0a294b673a41bacd8c17";

/** True when the value, or anything in it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (typeof value === "string") return unknowns.has(value);
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(hasUnknown);
}

export interface Asset {
  readonly hash?: string;
  readonly path?: string;
  readonly text?: string;
  readonly uri?: string;
}

export function isAsset(value: unknown): value is Asset {
  return value !== null && typeof value === "object" && (value as Record<string, unknown>)[signature] === asset;
}

/** Without what is undefined, with instants as text: only that can be sent. */
export function sendable(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.filter((one) => one !== undefined).map(sendable);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(kept.map(([key, one]) => [key, sendable(one)]));
}
