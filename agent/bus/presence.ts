import { randomBytes } from "node:crypto";
import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import type { Bus } from "./bus.ts";
import { metricsText, startText, uptimeText } from "./presenceText.ts";
import { type Page, type PortRange, type StatusServer, statusServer } from "./status.ts";
import { subjects } from "./subjects.ts";
import { atMostEvery, usageOfSelf } from "./varz.ts";
import type { Tls } from "./web.ts";

/** The name of one run of a component, `<index>-<32 hex>`: new on each start, and a token of subjects. */
export function componentId(index: number): string {
  return `${index}-${randomBytes(16).toString("hex")}`;
}

export interface PresenceOptions {
  bus: Bus;
  /** CloudController, DEA, HealthManager, Router, Stager or Core. */
  type: string;
  index: number;
  uuid: string;
  /** IP at which the status server listens and is announced. */
  address: string;
  /** 0 or absent: one of `statusPorts`. */
  port?: number;
  /** Absent: any free port. */
  statusPorts?: PortRange | undefined;
  /** With it the status server speaks HTTPS, and the announcement says so. */
  tls?: Tls | undefined;
  /** What the component tells of itself beside the common keys. Asked at most once a second. */
  varz: () => Record<string, unknown>;
  /** False, or a sentence that says what is wrong, makes /healthz answer 503. A lost bus does so anyway. */
  healthy?: () => boolean | string;
  log: Log;
}

/** Makes a component visible: a status server (/healthz, /varz, /metrics), an announcement, and answers to discovery. */
export function presence(options: PresenceOptions): Runner {
  const { bus, type, index, uuid } = options;
  return {
    name: `presence of ${type}`,
    async run(stop, ready) {
      if (stop.aborted) return;
      const began = Date.now();
      const uptime = () => uptimeText(Date.now() - began);
      const self = (server: StatusServer) => ({ type, index, uuid, host: server.host, start: startText(began) });
      const usage = usageOfSelf();
      const varz = atMostEvery(1000, () => ({ ...self(server), uptime: uptime(), ...usage(), ...options.varz() }));
      const server = await statusServer({
        ...options,
        pages: { "/healthz": () => health(options), "/varz": () => json(varz()), "/metrics": () => metrics(varz()) },
      });
      const hello = () => ({
        ...self(server),
        credentials: server.credentials,
        ...(options.tls ? { tls: true } : {}),
      });
      const announce = () => bus.publish(subjects.announce, hello());
      const discovered = bus.subscribe(subjects.discover, (_nothing, message) => {
        if (message.wantsReply) message.reply({ ...hello(), uptime: uptime() });
      });
      const unwatch = bus.onConnection((connected) => connected && announce());
      announce();
      ready();
      await aborted(stop);
      unwatch();
      discovered.stop();
      await server.close();
    },
  };
}

function health({ bus, healthy }: PresenceOptions): Page {
  const state = bus.connected ? (healthy?.() ?? true) : "the bus is away";
  if (state === true) return { status: 200, type: "text/plain", body: "ok\n" };
  return { status: 503, type: "text/plain", body: `${state || "not healthy"}\n` };
}

function json(varz: Record<string, unknown>): Page {
  return { status: 200, type: "application/json", body: `${JSON.stringify(varz, undefined, 2)}\n` };
}

function metrics(varz: Record<string, unknown>): Page {
  return { status: 200, type: "text/plain; version=0.0.4", body: metricsText(varz) };
}

function aborted(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
}
