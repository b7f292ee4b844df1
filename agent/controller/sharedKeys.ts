import { randomBytes } from "node:crypto";
import { StoreConflict } from "../store/conflict.ts";
import type { Keys } from "./records.ts";
import type { Tables } from "./tables.ts";

/** The keys that all controllers share. Whoever is first makes them; everybody then reads what stands. */
export async function sharedKeys({ keys }: Pick<Tables, "keys">): Promise<Keys> {
  const there = await keys.get("shared");
  if (there) return there.value;
  const fresh = () => randomBytes(32).toString("base64");
  try {
    await keys.create("shared", { tokens: fresh(), urls: fresh(), bulk: fresh(), staging: fresh() });
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error;
  }
  return await sharedKeys({ keys });
}
