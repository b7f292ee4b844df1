import type { Permissions } from "../bus/permissions.ts";
import { clusterText, type JoinedConfig } from "./clusterConfig.ts";

/** A user as the server knows it: by public key, or by name and password. */
export interface ServerUser {
  who: { nkey: string } | { user: string; password: string };
  permissions: Permissions;
}

export interface ServerConfig {
  name: string;
  address: string;
  port: number;
  /** Directory of the store. */
  store: string;
  pidFile: string;
  users: readonly ServerUser[];
  /** Port of the server's own monitoring, on the loopback. */
  monitor?: number;
  /** File that gets every protocol line, payloads included. */
  trace?: string;
  /** Present in a cluster of several machines. */
  joined?: JoinedConfig;
}

/** The configuration of nats-server: its syntax is a superset of JSON, with comments. */
export function serverConfig(config: ServerConfig): string {
  const { monitor, trace, joined } = config;
  const users = config.users.map(userBlock);
  const text = {
    server_name: config.name,
    listen: `${config.address}:${config.port}`,
    pid_file: config.pidFile,
    max_payload: 1024 * 1024,
    // A reader that does not keep up is cut off; it comes back and asks anew, which everything here survives.
    max_pending: 64 * 1024 * 1024,
    write_deadline: "10s",
    ping_interval: "10s",
    ping_max: 2,
    jetstream: { store_dir: config.store, sync_interval: "always", max_memory_store: 64 * 1024 * 1024 },
    ...(joined ? clusterText(joined, users) : { authorization: { users } }),
    ...(monitor ? { http: `127.0.0.1:${monitor}` } : {}),
    ...(trace ? { trace: true, logtime: true, logfile: trace } : {}),
  };
  const head = joined ? `# certificate ${joined.fingerprint}\n` : "";
  return `${head}${JSON.stringify(text, undefined, joined ? 0 : 2)}\n`;
}

export function userBlock({ who, permissions: { publish, subscribe, responses } }: ServerUser): object {
  const permissions = {
    // An empty list would allow everything.
    publish: publish.length > 0 ? { allow: publish } : { deny: [">"] },
    subscribe,
    ...(responses.max > 0 ? { allow_responses: { max: responses.max, expires: `${responses.seconds}s` } } : {}),
  };
  return { ...who, permissions };
}
