/** What the server of a core among several machines is told beyond the rest. */
export interface JoinedConfig {
  /** Name of the cluster. */
  readonly name: string;
  /** Paths of PEM files. */
  readonly files: { readonly certificate: string; readonly key: string; readonly ca: string };
  /** Tells one certificate from another: when it changes the text has to change, or the server would not read it anew. */
  readonly fingerprint: string;
  readonly joiner: { readonly user: object; readonly subject: string };
  /** Absent when there is one core. */
  readonly routes?: RoutesConfig;
}

export interface RoutesConfig {
  readonly address: string;
  readonly port: number;
  /** `ip:port` of all other cores. */
  readonly peers: readonly string[];
  readonly user: string;
  readonly password: string;
}

// Whoever is not let in yet stands outside: in an account of its own, from which one question leads in.
const outside = { max_payload: 16 * 1024, max_subscriptions: 8, max_connections: 2000 };
const [inner, outer] = ["TUTTI", "JOIN"];
// Seconds for TLS and the proof of a key: many nodes may come at once.
const patience = 10;

/** TLS for everybody, accounts for those inside and outside, and the routes to the other cores. */
export function clusterText({ name, files, joiner, routes }: JoinedConfig, users: readonly object[]) {
  const tls = { cert_file: files.certificate, key_file: files.key, timeout: patience };
  const { subject } = joiner;
  return {
    tls,
    no_auth_user: "joiner",
    authorization: { timeout: patience + 1 },
    accounts: {
      [inner]: { jetstream: "enabled", users, exports: [{ service: subject, accounts: [outer] }] },
      [outer]: { limits: outside, users: [joiner.user], imports: [{ service: { account: inner, subject } }] },
    },
    ...(routes ? { cluster: clusterBlock({ name, routes, tls: { ...tls, ca_file: files.ca, verify: true } }) } : {}),
  };
}

interface ClusterBlock {
  name: string;
  routes: RoutesConfig;
  tls: object;
}

function clusterBlock({ name, routes: { address, port, peers, user, password }, tls }: ClusterBlock) {
  return {
    name,
    listen: `${bracketed(address)}:${port}`,
    tls,
    // A node's certificate is one of the authority's as well: only cores know the password.
    authorization: { user, password, timeout: patience },
    routes: peers.map((peer) => `nats-route://${user}:${password}@${peer}`),
    // All cores are known to everybody from the beginning.
    no_advertise: true,
  };
}

export const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
