import {
  badAim,
  type ErrorPage,
  endpointFailure,
  htmlOf,
  jsonOf,
  noEndpoints,
  unknownInstance,
  unknownRoute,
} from "./pages.ts";

// Wildcards are looked for by taking one label after the other off the front of the host.
const wildcardLevels = 4;

/** The rules each request passes. Most end at the first `allow`: what stands above it is all that an ordinary request pays. */
export function requestRules(trusted: readonly string[]): string[] {
  const front =
    trusted.length > 0 ? ` unless { src ${trusted.join(" ")} } { req.hdr(X-Forwarded-Proto) -m found }` : "";
  return [
    "http-request set-header X-Vcap-Request-Id %[unique-id]",
    `http-request set-header X-Forwarded-Proto http${front}`,
    "http-request set-var(txn.host) req.hdr(host),host_only,lower",
    "http-request set-var(txn.slot) var(txn.host),map_str(hosts.map)",
    "http-request set-var(txn.app) var(txn.slot),map_str(apps.map)",
    "http-request set-header X-CF-ApplicationID %[var(txn.app)]",
    "http-request allow if live !aimed",
    "http-request set-var(txn.path) path,lower",
    ...byPath("var(txn.host)"),
    ...Array.from({ length: wildcardLevels }, (_, level) => byWildcard(level + 1)).flat(),
    "http-request set-var(txn.app) var(txn.slot),map_str(apps.map)",
    "http-request set-header X-CF-ApplicationID %[var(txn.app)]",
    "http-request allow if live !aimed",
    // Whatever the client sent as its host goes into the text of the page: only harmless characters of it.
    'http-request set-var(txn.asked) var(txn.host),regsub("[^a-z0-9.*_-]",_,g)',
    ...page(unknownRoute, "!found"),
    ...page(badAim, "aimed !{ req.hdr(X-CF-APP-INSTANCE) -m reg ^[A-Za-z0-9_.-]+:[0-9]+$ }"),
    "http-request set-var(txn.wanted) req.hdr(X-CF-APP-INSTANCE) if aimed",
    "http-request set-var(txn.aim) var(txn.slot),concat(/,txn.wanted),map_str(aims.map) if aimed",
    ...page(unknownInstance, "aimed live !{ var(txn.aim) -m found }"),
    "http-request allow if live",
    // In a process that finishes after a reload nothing counts as live, but its backends still work.
    "http-request allow if { stopping } { var(txn.app) -m found }",
    // Instances are registered, but each has failed its last check.
    ...page(endpointFailure, "{ var(txn.app) -m found }"),
    ...page(noEndpoints, "{ always_true }"),
  ];
}

/** Names for the conditions above. */
export const conditions = [
  "acl found var(txn.slot) -m found",
  "acl live var(txn.slot),nbsrv gt 0",
  "acl split var(txn.slot) -m str +",
  "acl aimed req.hdr(X-CF-APP-INSTANCE) -m found",
  "acl json req.hdr(accept) -m sub json",
];

/** The longest prefix that ends at a slash, when the host's paths part. */
function byPath(host: string): string[] {
  return [
    `http-request set-var(txn.prefix) ${host},concat(,txn.path,/) if split`,
    "http-request unset-var(txn.slot) if split",
    "http-request set-var(txn.slot) var(txn.prefix),map_beg(paths.map) if !found { var(txn.prefix) -m found }",
    "http-request unset-var(txn.prefix)",
  ];
}

function byWildcard(level: number): string[] {
  return [
    `http-request set-var(txn.star) var(txn.host),field(${level + 1},.,0) if !found`,
    "http-request set-var(txn.star) str(*.),concat(,txn.star) if !found",
    "http-request set-var(txn.slot) var(txn.star),map_str(hosts.map) if !found",
    ...byPath("var(txn.star)"),
  ];
}

function page(one: ErrorPage, condition: string): string[] {
  const answer = (type: string, body: string) =>
    `http-request return status ${one.status} content-type "${type}" lf-string '${body}' hdr X-Cf-Routererror ${one.code} hdr Cache-Control no-cache`;
  return [
    `${answer("application/json", `${jsonOf(one)}`)} if json ${condition}`,
    `${answer("text/html; charset=utf-8", `${htmlOf(one)}`)} if ${condition}`,
  ];
}

const session = "res.fhdr(set-cookie) -m reg -i ^JSESSIONID=";

/** The sticky cookie: set with the app's session cookie, with the same marks, naming the instance that answered. */
export const responseRules = [
  "http-response allow unless { res.fhdr(set-cookie) -m beg JSESSIONID= }",
  `http-response set-var-fmt(txn.marks) "; Secure" if { ${session}.*;\\ *secure }`,
  ...["Strict", "Lax", "None"].map(
    (site) => `http-response set-var-fmt(txn.site) "; SameSite=${site}" if { ${session}.*;\\ *samesite=${site} }`,
  ),
  'http-response add-header Set-Cookie "__VCAP_ID__=%s; Path=/; HttpOnly%[var(txn.marks)]%[var(txn.site)]"',
];
