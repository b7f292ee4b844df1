import type { Tls } from "../bus/web.ts";
import { type OwnCertificate, type OwnFacts, ownCertificate } from "./ownCertificate.ts";

/** A core's own certificate, as it is now. */
export interface CertificateKeeper {
  readonly certificate: OwnCertificate;
  /** For servers of the core. */
  readonly tls: Tls;
  /** Makes it anew when it has to be. Resolves to whether it was. */
  renew(): Promise<boolean>;
}

export async function certificateKeeper(facts: Omit<OwnFacts, "now">): Promise<CertificateKeeper> {
  const listeners = new Set<() => void>();
  const issue = () => ownCertificate({ ...facts, now: Date.now() });
  let certificate = await issue();
  return {
    get certificate() {
      return certificate;
    },
    tls: {
      name: facts.node,
      get key() {
        return certificate.key;
      },
      get cert() {
        return certificate.text;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    async renew() {
      const before = certificate.text;
      certificate = await issue();
      if (certificate.text === before) return false;
      for (const listener of listeners) listener();
      return true;
    },
  };
}
