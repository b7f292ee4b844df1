import type { InstanceView } from "../engine.ts";
import type { Process } from "../records.ts";

/** What each instance does and needs, as `GET …/stats` tells it. */
export function showStats({ type }: Process, instances: readonly InstanceView[]) {
  return {
    resources: [...instances].sort((one, other) => one.index - other.index).map((one) => showInstance(type, one)),
  };
}

function showInstance(type: string, one: InstanceView) {
  const common = {
    type,
    index: one.index,
    state: one.state,
    routable: one.state === "RUNNING",
    uptime: one.uptime,
    isolation_segment: null,
    details: one.details ?? null,
  };
  if (one.state === "DOWN") return common;
  return {
    ...common,
    instance_guid: one.instance ?? null,
    host: one.host ?? null,
    instance_internal_ip: one.host ?? null,
    instance_ports: one.port === undefined ? [] : [{ external: one.port, internal: one.port }],
    mem_quota: one.mem_quota ?? null,
    disk_quota: one.disk_quota ?? null,
    log_rate_limit: -1,
    fds_quota: one.fds_quota ?? null,
    usage: one.usage ? { ...one.usage, cpu_entitlement: null, log_rate: 0 } : {},
  };
}
