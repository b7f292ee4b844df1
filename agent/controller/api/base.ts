import type { FastifyRequest } from "fastify";

const hostForm = /^[A-Za-z0-9._-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/;

/** The address under which the client knows us: links in answers lead back the way the request came. */
export function baseOf(headers: { host?: string | undefined; proto?: string | undefined }, fallback: string): string {
  const proto = headers.proto?.split(",")[0]?.trim().toLowerCase() === "https" ? "https" : "http";
  const host = headers.host && hostForm.test(headers.host) ? headers.host : fallback;
  return `${proto}://${host}`;
}

export function baseOfRequest({ headers, socket }: FastifyRequest): string {
  const proto = headers["x-forwarded-proto"];
  const fallback = `${socket.localAddress ?? "127.0.0.1"}:${socket.localPort ?? 80}`;
  return baseOf({ host: headers.host, proto: Array.isArray(proto) ? proto[0] : proto }, fallback);
}
