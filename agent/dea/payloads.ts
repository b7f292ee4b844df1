import type { z } from "zod";
import type { DeaHeartbeat, DropletExited } from "../bus/messages/instance.ts";
import type { DeaAdvertise, DeaOffer, deaHello } from "../bus/messages/placement.ts";
import type { RouterRegister } from "../bus/messages/router.ts";
import type { Tls } from "../bus/web.ts";
import type { Instance } from "./instance.ts";
import type { Capacity } from "./resources.ts";
import { beats, holds } from "./states.ts";

/** What never changes about a DEA while it runs. */
export interface Self {
  id: string;
  index: number;
  address: string;
  filePort: number;
  /** What its file server shows. */
  tls?: Tls | undefined;
  zone: string;
  stacks: string[];
  runtimes: string[];
  capacity: Capacity;
}

export type Hello = z.output<typeof deaHello>;

const seconds = (ms: number) => Math.floor(ms / 1000);

export const protocolVersion = "0.99";

export function hello(self: Self): Hello {
  return { id: self.id, ip: self.address, port: self.filePort, version: protocolVersion };
}

/** App → number of its instances that live here. */
export function counts(instances: Iterable<Instance>): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of instances) if (holds(one)) sum[one.droplet] = (sum[one.droplet] ?? 0) + 1;
  return sum;
}

export function advert(self: Self, instances: readonly Instance[], room: Capacity): DeaAdvertise {
  return {
    id: self.id,
    // A DEA without a place has no memory to offer either: the message has no word for places.
    available_memory: room.instances > 0 ? Math.floor(room.memory) : 0,
    available_disk: Math.floor(room.disk),
    runtimes: self.runtimes,
    stacks: self.stacks,
    prod: false,
    app_id_to_count: counts(instances),
    placement_properties: { zone: self.zone },
    ack: 1,
  };
}

export function offer(self: Self, instances: readonly Instance[], room: Capacity): DeaOffer {
  const { available_memory, available_disk, app_id_to_count, placement_properties } = advert(self, instances, room);
  const more = { available_memory, available_disk, app_id_to_count, placement_properties };
  return { ...hello(self), ...more, max_memory: self.capacity.memory };
}

/** Always the complete list, also when it is empty: a partial one makes readers forget the rest. */
export function heartbeat(self: Self, instances: readonly Instance[]): DeaHeartbeat {
  const droplets = instances.filter(beats).map((one) => ({
    droplet: one.droplet,
    version: one.version,
    instance: one.id,
    index: one.index,
    state: one.state,
    state_timestamp: seconds(one.since),
    cc_partition: one.partition,
  }));
  return { dea: self.id, prod: false, droplets };
}

export function exited(one: Instance): DropletExited {
  const { reason, status, description, at } = one.exit ?? {
    reason: "CRASHED",
    status: -1,
    description: "",
    at: one.since,
  };
  return {
    droplet: one.droplet,
    version: one.version,
    instance: one.id,
    index: one.index,
    reason,
    ...(reason === "CRASHED" ? { crash_timestamp: seconds(at) } : {}),
    cc_partition: one.partition,
    exit_status: status,
    exit_description: description,
  };
}

/**
 * The types are exact: real routers drop a message for one number where they want a string. An app serves HTTP and knows
 * nothing of the cluster's certificates: from the router to an instance there is no TLS, also between machines.
 */
export function registration(self: Self, one: Instance, uris: string[]): RouterRegister {
  return {
    host: self.address,
    port: one.port ?? 0,
    uris,
    app: one.app,
    dea: self.id,
    tags: { component: `dea-${self.index}`, process_id: one.droplet, process_type: one.type },
    private_instance_id: one.privateId,
    private_instance_index: String(one.index),
    stale_threshold_in_seconds: 120,
  };
}
