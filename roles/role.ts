import { z } from "zod";

/** What a node is for. A node has one or more. */
export const roleName = z.enum([
  "core",
  "controller",
  "health",
  "router",
  "stager",
  "dea",
  "filesystem",
  "postgresql",
  "mysql",
  "redis",
  "rabbit",
  "memcached",
]);
export type RoleName = z.output<typeof roleName>;

/** A port that a role opens on its node. `audience` says who may reach it. */
export interface RolePort {
  readonly name: PortName;
  readonly audience: "everyone" | "cluster" | "node";
}
export type PortName = "nats" | "routes" | "controller" | "router" | "files" | "instances" | "status";

export interface Role {
  readonly what: string;
  /** Parts that run on a node with this role, in the order in which they start. */
  readonly components: readonly string[];
  readonly ports: readonly RolePort[];
  /** False while the role is only a word: the components are not there yet. */
  readonly available: boolean;
}

const status: RolePort = { name: "status", audience: "cluster" };

const planned = (what: string): Role => ({ what, components: [], ports: [], available: false });

/** Who does what. The order is the order in which a node starts its roles. */
export const roles: Readonly<Record<RoleName, Role>> = {
  core: {
    what: "the bus and the store: nats-server with what the cluster remembers",
    components: ["core"],
    ports: [{ name: "nats", audience: "cluster" }, { name: "routes", audience: "cluster" }, status],
    available: true,
  },
  dea: {
    what: "runs instances of apps",
    components: ["dea"],
    ports: [{ name: "files", audience: "cluster" }, { name: "instances", audience: "cluster" }, status],
    available: true,
  },
  router: {
    what: "takes requests from outside to instances",
    components: ["router"],
    ports: [{ name: "router", audience: "everyone" }, status],
    available: true,
  },
  stager: {
    what: "turns pushed bits into droplets",
    components: ["stager"],
    ports: [status],
    available: true,
  },
  controller: {
    what: "the API: takes wishes from people and has them carried out",
    components: ["controller"],
    ports: [{ name: "controller", audience: "cluster" }, status],
    available: true,
  },
  health: {
    what: "compares what runs with what should run and asks for the difference",
    components: ["health"],
    ports: [status],
    available: true,
  },
  filesystem: planned("persistent directories for apps"),
  postgresql: planned("PostgreSQL databases for apps"),
  mysql: planned("MySQL databases for apps"),
  redis: planned("Redis for apps"),
  rabbit: planned("RabbitMQ for apps"),
  memcached: planned("memcached for apps"),
};
