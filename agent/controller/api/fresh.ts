import { randomUUID } from "node:crypto";

/** What every new record begins with. */
export function fresh(guid: string = randomUUID()): { guid: string; created_at: string; updated_at: string } {
  const now = new Date().toISOString();
  return { guid, created_at: now, updated_at: now };
}

/** A time as Cloud Foundry prints it: whole seconds, UTC. */
export const stamp = (time: string): string => `${time.slice(0, 19)}Z`;
