import { type Applied, type MapName, mapEntries, mapNames } from "./applied.ts";
import { authorityFile, serverOptions } from "./commands.ts";
import { endpointFailure, rawAnswer } from "./pages.ts";
import { conditions, requestRules, responseRules } from "./rules.ts";
import { slotName } from "./view.ts";

export interface ConfigOptions {
  /** Where clients come in. */
  bind: string;
  port: number;
  threads: number;
  maxConnections: number;
  /** Addresses and networks of proxies in front of us whose X-Forwarded-Proto is believed. */
  trusted: readonly string[];
  /** Whom HAProxy becomes after it has bound its port and read its files. */
  user: { uid: number; gid: number } | undefined;
  /** PEM of the authority of backends that speak TLS. Without it there are none. */
  ca?: string | undefined;
}

/** Files for HAProxy, by name, relative to the directory it runs in. Pure. */
export function haproxyFiles(options: ConfigOptions, applied: Applied, socket: string): Record<string, string> {
  const maps = mapNames.map((name) => [`${name}.map`, mapText(applied, name)]);
  return {
    ...Object.fromEntries(maps),
    "unreachable.http": rawAnswer(endpointFailure),
    ...(options.ca ? { [authorityFile]: options.ca } : {}),
    "haproxy.cfg": `${[...globals(options, socket), ...frontend(options), ...backends(applied), ...authority(options)].join("\n")}\n`,
  };
}

function mapText(applied: Applied, name: MapName): string {
  let text = "";
  for (const [key, value] of mapEntries(applied, name)) text += `${key} ${value}\n`;
  return text;
}

function globals({ threads, maxConnections, user }: ConfigOptions, socket: string): string[] {
  return [
    "global",
    `  stats socket unix@${socket} mode 600 level admin expose-fd listeners`,
    "  stats timeout 1d",
    "  log fd@3 format raw local0",
    `  maxconn ${maxConnections}`,
    // With fewer descriptors than wished for it serves fewer clients, which beats serving none.
    "  no strict-limits",
    `  nbthread ${threads}`,
    // Old processes of a reload go when their last connection ends, at the latest after an hour.
    "  hard-stop-after 1h",
    ...(user ? [`  uid ${user.uid}`, `  gid ${user.gid}`] : []),
    "defaults plain",
    "  mode http",
    "  balance leastconn",
    // A request goes to another instance only when the first accepted no connection: nothing of it was done yet.
    "  retries 20",
    "  option redispatch 1",
    "  retry-on conn-failure",
    "  http-reuse safe",
    "  http-send-name-header X-CF-InstanceID",
    // Clients with idle connections learn of a reload by the next answer instead of by a reset.
    "  option idle-close-on-response",
    // Instances are near: who does not accept within this is tried again, or another is. HAProxy also waits as long
    // (at most a second) before a retry, so it bounds what a crash costs the request that met it.
    "  timeout connect 100ms",
    "  timeout client 15m",
    "  timeout server 15m",
    "  timeout tunnel 1h",
    "  timeout http-request 30s",
    "  timeout http-keep-alive 75s",
    "  timeout client-fin 30s",
    ...[502, 503, 504].map((status) => `  errorfile ${status} unreachable.http`),
    // The time to connect counts until hands are shaken, and for that the other side's program has to find time.
    "defaults patient from plain",
    "  timeout connect 10s",
    "  retries 3",
  ];
}

// gorouter's line, without the query string: what people put there is often a secret.
const logFormat = [
  '%{+Q,+E}[var(txn.host)] - [%tr] \\"%HM\\ %{+E}HPO\\ %HV\\" %ST %U %B',
  '\\"%ci:%cp\\" \\"%si:%sp\\" response_time_ms:%Ta',
  "app_id:%{+Q,+E}[var(txn.app)] instance_id:%{+Q}s vcap_request_id:%ID end:%ts",
]
  .join(" ")
  .replaceAll(/(?<!\\) /g, "\\ ");

function frontend({ bind, port, maxConnections, trusted }: ConfigOptions): string[] {
  const address = bind.includes(":") ? `[${bind}]` : bind;
  return [
    "frontend public from plain",
    `  bind ${address}:${port}`,
    `  maxconn ${maxConnections}`,
    // Only here: a backend's messages about its servers do not belong in the access log.
    "  log global",
    `  log-format ${logFormat}`,
    "  option forwardfor",
    "  unique-id-format %[uuid()]",
    ...[...conditions, ...requestRules(trusted), ...responseRules].map((line) => `  ${line}`),
    "  http-after-response set-header X-Vcap-Request-Id %[unique-id]",
    "  use_backend %[var(txn.slot)]",
  ];
}

function* backends(applied: Applied): Iterable<string> {
  for (let slot = 1; slot <= applied.capacity; slot++) {
    yield `backend ${slotName(slot)} from ${applied.patient.has(slot) ? "patient" : "plain"}`;
    yield "  use-server %[var(txn.aim)] if { var(txn.aim) -m found }";
    yield "  use-server %[req.cook(__VCAP_ID__)] if { req.cook(__VCAP_ID__) -m found }";
    for (const [name, server] of applied.backends.get(slot)?.servers ?? [])
      if (!server.leaving) yield `  server ${name} ${server.address} ${serverOptions(server)}`;
  }
}

/** A server that is added at run time may name only an authority that was read at the start. */
function authority({ ca }: ConfigOptions): string[] {
  if (!ca) return [];
  return [
    "backend authority from plain",
    `  server nobody 127.0.0.1:1 disabled ssl verify required ca-file ${authorityFile}`,
  ];
}
