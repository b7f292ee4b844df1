import type { App, Organization, Route, Space } from "../records.ts";
import type { Api, Call } from "./api.ts";
import { fresh } from "./fresh.ts";

export interface Target {
  guid: string;
  type: string;
  name: string;
  space?: string | undefined;
  organization?: string | undefined;
}

/**
 * Writes down who did what to what, and says it on the bus. `type` as Cloud Foundry names it (`audit.app.start`).
 * The deed is done by then: a trail that cannot be written is logged and does not undo it.
 */
export async function audit(
  api: Api,
  { user }: Pick<Call, "user">,
  { type, target, data = {} }: { type: string; target: Target; data?: Record<string, unknown> },
): Promise<void> {
  const record = fresh();
  const organization = target.organization ?? (target.space && api.tables.spaces.get(target.space)?.organization);
  api.engine.audit([record.created_at, "USER", user.username, wordOf(type), target.name, "SUCCEEDED"]);
  try {
    await api.tables.events.insert({
      ...record,
      type,
      actor: { guid: user.guid, type: "user", name: user.username },
      target: { guid: target.guid, type: target.type, name: target.name },
      data,
      space: target.space,
      organization,
    });
  } catch (error) {
    api.log.error({ type, target: target.guid, error: String(error) }, "An audit event could not be written");
  }
}

/** `audit.app.delete-request` → `DELETE_APP`, as the bus called it from the beginning. */
export function wordOf(type: string): string {
  const [, thing = "", ...deed] = type.split(".");
  return [...deed.join("_").replace("-request", "").split(/[-.]/), thing].join("_").toUpperCase();
}

export const appTarget = ({ guid, name, space }: App): Target => ({ guid, type: "app", name, space });
export const spaceTarget = ({ guid, name, organization }: Space): Target => ({
  guid,
  type: "space",
  name,
  space: guid,
  organization,
});
export const organizationTarget = ({ guid, name }: Organization): Target => ({
  guid,
  type: "organization",
  name,
  organization: guid,
});
export const routeTarget = ({ guid, host, space }: Route): Target => ({ guid, type: "route", name: host, space });
