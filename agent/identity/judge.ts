import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

export interface Standing {
  /** `none`: ask to be let in; `stale`: a member with a certificate that is of no use; `due`: of use, but not for long. */
  readonly verdict: "none" | "stale" | "due" | "good";
  /** Completes the sentence "its certificate …". */
  readonly why: string;
}

export interface Circumstances {
  /** PEM. */
  readonly ca: string;
  readonly id: string;
  readonly address: string;
  /** PEM (SPKI) of the key that the certificate has to be for. */
  readonly tlsPublic: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a node's certificate is worth to it. Pure. */
export function judge(text: string | undefined, { ca, id, address, tlsPublic, now }: Circumstances): Standing {
  if (text === undefined) return { verdict: "none", why: "is not there yet" };
  const certificate = parsed(text);
  if (!certificate) return { verdict: "none", why: "cannot be read" };
  if (!certificate.verify(new X509Certificate(ca).publicKey))
    return { verdict: "none", why: "is of another authority" };
  if (certificate.publicKey.export({ type: "spki", format: "pem" }) !== tlsPublic)
    return { verdict: "none", why: "is for another key" };
  if (!certificate.checkHost(id)) return { verdict: "none", why: "is that of another node" };
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (now > until) return { verdict: "stale", why: `has expired on ${certificate.validTo}` };
  if (!speaksOf(certificate, address)) return { verdict: "stale", why: `does not name the address ${address}` };
  if (now > from + ((until - from) * 2) / 3) return { verdict: "due", why: `expires on ${certificate.validTo}` };
  return { verdict: "good", why: `is good until ${certificate.validTo}` };
}

function parsed(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

const speaksOf = (certificate: X509Certificate, address: string) =>
  Boolean(isIP(address) ? certificate.checkIP(address) : certificate.checkHost(address));
