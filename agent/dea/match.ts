import type { InstanceFilter } from "../bus/messages/instance.ts";
import type { Instance } from "./instance.ts";

/**
 * Does an instance pass every filter given? An absent filter lets all pass, an empty list none; `instances` and
 * `instance_ids` are two names of one filter, so their union counts.
 */
export function matches(filter: InstanceFilter, one: Instance): boolean {
  const ids =
    filter.instances || filter.instance_ids ? [filter.instances ?? [], filter.instance_ids ?? []].flat() : undefined;
  return (
    one.droplet === filter.droplet &&
    (filter.version === undefined || filter.version === one.version) &&
    (ids === undefined || ids.includes(one.id)) &&
    (filter.indices === undefined || filter.indices.includes(one.index)) &&
    (filter.states === undefined || filter.states.includes(one.state))
  );
}
