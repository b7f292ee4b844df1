import type { HmRequest } from "../bus/messages/health.ts";
import type { Start, Stop } from "./decisions.ts";
import type { Wanted } from "./wanted.ts";

/** One request for all starts of an app. `last_updated` and `version` let the controller refuse what is outdated. */
export function startRequests(starts: readonly Start[], wanted: Wanted): HmRequest[] {
  const groups = Map.groupBy(starts, ({ droplet, version, flapping }) => `${droplet}/${version}/${flapping}`);
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const { droplet, version, flapping } = first;
    const indices = same.map(({ index }) => index).sort((a, b) => a - b);
    const request: HmRequest = { op: "START", droplet, last_updated: fence(droplet, wanted), version, indices };
    return [flapping ? { ...request, flapping } : request];
  });
}

/** Without a version the controller does not know the app either. */
export function stopRequest({ droplet, version, instances }: Stop, wanted: Wanted): HmRequest {
  const request: HmRequest = { op: "STOP", droplet, last_updated: fence(droplet, wanted), instances: [...instances] };
  return version === undefined ? request : { ...request, version };
}

const fence = (droplet: string, wanted: Wanted): number => wanted.get(droplet)?.updatedAt ?? 0;
