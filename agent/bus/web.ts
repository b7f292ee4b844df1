import http from "node:http";
import https from "node:https";

/** What a node shows those who speak to it over HTTPS. */
export interface Tls {
  /** PEM. Read anew after each change. */
  readonly key: string;
  /** PEM: the certificate, and what leads from it to the authority if anything does. */
  readonly cert: string;
  /** The name in the certificate by which others recognize this node, whatever its address. */
  readonly name?: string;
  /** Told when the certificate is another one. Returns the way to unsubscribe. */
  onChange?(listener: () => void): () => void;
}

/**
 * A server for HTTPS, or for HTTP where there is no certificate. A new certificate is shown from the next connection
 * on; those that are open stay.
 */
export function webServer(tls: Tls | undefined, listener: http.RequestListener): http.Server {
  if (!tls) return http.createServer(listener);
  const server = https.createServer({ key: tls.key, cert: tls.cert }, listener);
  server.once("listening", () => {
    const forget = tls.onChange?.(() => server.setSecureContext({ key: tls.key, cert: tls.cert }));
    server.once("close", () => forget?.());
  });
  return server;
}

/** `https://10.0.0.5:9022`, without a slash at the end. */
export function webAddress(tls: Tls | undefined, address: string, port: number): string {
  return `${tls ? "https" : "http"}://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
