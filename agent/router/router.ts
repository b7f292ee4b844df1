import { mkdir, realpath } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Bus } from "../bus/bus.ts";
import { componentId, presence } from "../bus/presence.ts";
import type { PortRange } from "../bus/status.ts";
import type { Tls } from "../bus/web.ts";
import { every } from "../run/every.ts";
import { group } from "../run/group.ts";
import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { type AccessLog, accessLog } from "./accessLog.ts";
import type { ConfigOptions } from "./config.ts";
import { front } from "./front.ts";
import { keeper } from "./keeper.ts";
import { listener } from "./listener.ts";
import { findOrphan } from "./orphan.ts";
import type { Regrouped } from "./pools.ts";
import { anyFreePort } from "./port.ts";
import { connectionsPossible, lesserUser } from "./process.ts";

import { pulseOf } from "./pulse.ts";
import { routesWithPools } from "./routes.ts";
import { routerVarz } from "./varz.ts";

export interface RouterOptions {
  bus: Bus;
  log: Log;
  index: number;
  /** IP at which other nodes reach this one. */
  address: string;
  /** Milliseconds. */
  beat: number;
  /** Directory for state: HAProxy's files, the snapshot of the table, the access log. */
  home: string;
  /** Path of the haproxy binary, 2.6 or later. */
  haproxy: string;
  /** Public HTTP port; 0: any free one. */
  port: number;
  /** Address clients come in at. Default: `address`. */
  bind?: string;
  /** Domain of the cluster's apps. Only for the log: routes of every domain are served. */
  domain: string;
  /** Told the port when requests are served. */
  onListening?: (port: number) => void;
  /** Default: `home`/access.log. */
  accessLog?: string;
  /** Size at which the access log moves to `<path>.1` and another begins. Default 256 MiB. */
  accessLogBytes?: number;
  /** Clients at once. Default: what the limit of open files allows, at most 20,000. */
  maxConnections?: number;
  /** Default: the number of cores, at most 4. */
  threads?: number;
  /** Backends kept ready for new apps (some 14 KiB each); HAProxy reloads when they run out. Default 256. */
  spareSlots?: number;
  /** Addresses or networks of proxies in front whose X-Forwarded-Proto is believed. Default: none. */
  trusted?: readonly string[];
  /** Port of the status server. Default: one of `statusPorts`. */
  statusPort?: number;
  /** Default: any free one. */
  statusPorts?: PortRange | undefined;
  /** What the status server shows to other nodes; without it, it speaks HTTP. Clients are always spoken to in HTTP. */
  tls?: Tls | undefined;
  /** PEM of the authority of backends that want TLS. Without it their registrations are refused. */
  ca?: string;
}

/** Routes HTTP requests to the instances that registered for their host: a route table, and HAProxy driven by it. */
export function router(options: RouterOptions): Runner {
  return {
    name: "router",
    async run(stop, ready) {
      await mkdir(options.home, { recursive: true, mode: 0o700 });
      // HAProxy, and the search for one that was left behind, know the directory by its real name.
      const home = await realpath(options.home);
      const orphan = await findOrphan(home);
      const { accessLog: path = join(home, "access.log"), accessLogBytes: maxBytes = 256 * 2 ** 20 } = options;
      const access = await accessLog({ path, maxBytes, afresh: orphan !== undefined });
      try {
        const config = await configOf(options, orphan?.port);
        await members({ ...options, home }, config, access).run(stop, ready);
      } finally {
        await access.close();
      }
    },
  };
}

function members(options: RouterOptions, config: ConfigOptions, access: AccessLog): Runner {
  const { bus, log, index, address, beat, tls, statusPorts, spareSlots = 256 } = options;
  const uuid = componentId(index);
  const routes = routesWithPools();
  const haproxy = front({ ...options, config, spareSlots, view: routes.view, logFd: () => access.fd });
  const secure = options.ca !== undefined;
  const memory = keeper({ ...options, secure, routes });
  const onChange = (changed: Regrouped) => {
    haproxy.touch(changed);
    memory.changed();
  };
  const bell = listener({ bus, routes, uuid, address, beat, secure, log, onChange });
  const pulse = pulseOf(haproxy);
  const later = (name: string, beats: number, turn: () => unknown) => {
    const onError = (error: unknown) => log.warn({ error: String(error) }, `${name} failed`);
    return every(name, { interval: beats * beat, onError }, turn);
  };
  return group("router", [
    memory.runner,
    bell.runner,
    haproxy.runner,
    once("listening", () => {
      log.info({ bind: config.bind, port: config.port, domain: options.domain }, "the router serves requests");
      options.onListening?.(config.port);
    }),
    later("pulse of HAProxy", 1, pulse.beat),
    later("pruning", 30, bell.prune),
    later("greeting of old senders", 30, bell.hello),
    later("rotation of the access log", 10, async () => (await access.rotate()) && haproxy.reload()),
    presence({
      ...{ bus, type: "Router", index, uuid, address, port: options.statusPort ?? 0, statusPorts, tls, log },
      varz: () => ({
        ...pulse.varz(),
        ...routerVarz({ table: routes.table, lastUpdate: bell.lastUpdate, now: Date.now() }),
      }),
      healthy: () => pulse.answers || "HAProxy does not answer",
    }),
  ]);
}

async function configOf(options: RouterOptions, served: number | undefined): Promise<ConfigOptions> {
  const { bind = options.address, port, threads, maxConnections, trusted = [] } = options;
  return {
    bind,
    // With any free port, the one of a HAProxy that was left behind is the right one.
    port: port || served || (await anyFreePort(bind)),
    threads: threads ?? Math.min(4, availableParallelism()),
    maxConnections: maxConnections ?? (await connectionsPossible()),
    trusted,
    user: await lesserUser(),
    ca: options.ca,
  };
}

/** A member that does one thing when its turn comes. */
function once(name: string, act: () => void): Runner {
  return {
    name,
    async run(stop, ready) {
      act();
      ready();
      await stopped(stop);
    },
  };
}
