import { isIP } from "node:net";
import type { RouterRegister } from "../bus/messages/router.ts";
import { isToken } from "./names.ts";

/** An address that serves routes. */
export interface Endpoint {
  /** `host:port` as registered: the key. */
  key: string;
  host: string;
  port: number;
  /** The IP to connect to; differs from `host` when that is a name. */
  ip: string;
  /** It speaks TLS, with a certificate that has to be for this name. Absent: it speaks without. */
  san?: string | undefined;
  app: string | undefined;
  dea: string | undefined;
  /** private_instance_id: the value of the sticky cookie. */
  instance: string | undefined;
  index: string | undefined;
  tags: Record<string, string>;
  /** Milliseconds without news after which it is forgotten. */
  ttl: number;
}

/** Milliseconds a registration counts: 120 beats; the sender may only shorten that. */
export function lifetime(staleThreshold: number | undefined, beat: number): number {
  const beats = staleThreshold !== undefined && staleThreshold > 0 ? Math.min(staleThreshold, 120) : 120;
  return beats * beat;
}

interface Place {
  host: string;
  port: number;
  tls_port?: number | undefined;
}

/** The key of the endpoint a message speaks of. */
export function endpointKey({ host, port, tls_port }: Place): string {
  return `${host.toLowerCase()}:${tls_port || port}`;
}

// It travels into HAProxy's configuration and over its command socket.
const hostName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

/** What a registration says of an endpoint, or the sentence that tells why it is refused. */
export function endpointOf(message: RouterRegister, ip: string, beat: number): Endpoint | string {
  const { host, app, private_instance_id: instance, private_instance_index: index } = message;
  const port = message.tls_port || message.port;
  const san = message.tls_port ? (message.server_cert_domain_san ?? "") : undefined;
  if (port === 0) return "it names no port";
  if (san !== undefined && !hostName.test(san)) return "it does not say for which name its certificate is";
  if (!isIP(ip)) return `${JSON.stringify(host)} is not an address`;
  if (app && !isToken(app)) return `its app ${JSON.stringify(app)} is no id`;
  if (instance && !isToken(instance)) return "its private_instance_id is no id";
  if (index && !/^\d{1,6}$/.test(index)) return `its index ${JSON.stringify(index)} is no number`;
  return {
    key: endpointKey(message),
    host,
    port,
    ip,
    san,
    app: app || undefined,
    dea: message.dea,
    instance: instance || undefined,
    index: index || undefined,
    tags: message.tags,
    ttl: lifetime(message.stale_threshold_in_seconds, beat),
  };
}

/** True when two registrations of one address mean one and the same instance, spoken to in one and the same way. */
export function sameInstance(a: Endpoint, b: Endpoint): boolean {
  return a.app === b.app && a.instance === b.instance && a.san === b.san;
}
