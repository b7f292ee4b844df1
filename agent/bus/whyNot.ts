/**
 * What stands between us and a server of the bus: it cannot be reached, it does not answer, it lets us in under no name,
 * it is somebody else, or one of both clocks is wrong.
 */
export type Obstacle = "away" | "silent" | "refused" | "stranger" | "clock";

export interface WhyNot {
  readonly obstacle: Obstacle;
  /** Completes a sentence that begins with the server's address and a colon. */
  readonly text: string;
}

const strangers: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not of this cluster's authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not of this cluster's authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not of this cluster's authority",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is not of this cluster's authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not of this cluster's authority",
  CERT_SIGNATURE_FAILURE: "its certificate is not of this cluster's authority",
  INVALID_CA: "its certificate is not of this cluster's authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is that of another machine",
};

const clocks: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "by this machine's clock its certificate is out of date",
  CERT_NOT_YET_VALID: "by this machine's clock its certificate is not valid yet",
};

/** Why a connection could not be made, by the client's error. Pure. */
export function whyNot(error: unknown): WhyNot {
  const { name, message, code } = innermost(error);
  const stranger = strangers[code];
  if (stranger) return { obstacle: "stranger", text: stranger };
  const clock = clocks[code];
  if (clock) return { obstacle: "clock", text: clock };
  if (/does not support 'tls'|unexpected response|ssl|tls/i.test(message))
    return { obstacle: "stranger", text: "it speaks without encryption, or is no server of the bus" };
  if (name === "AuthorizationError") return { obstacle: "refused", text: "it does not know this node" };
  if (name === "TimeoutError") return { obstacle: "silent", text: "it does not answer" };
  if (code === "ECONNREFUSED") return { obstacle: "away", text: "nothing listens there" };
  return { obstacle: "away", text: message || code || "it closed the connection" };
}

function innermost(error: unknown): { name: string; message: string; code: string } {
  let found = error as { name?: string; message?: string; code?: unknown; cause?: unknown } | undefined;
  while (found?.cause instanceof Error) found = found.cause as typeof found;
  return { name: found?.name ?? "", message: found?.message ?? "", code: String(found?.code ?? "") };
}
