import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Tls } from "../bus/web.ts";
import { sleep } from "../run/sleep.ts";
import { type IdentityFiles, textOf } from "./files.ts";

/** The certificate that a node holds, for all servers of its components. */
export interface Held {
  /** Throws as long as there is no certificate. */
  readonly tls: Tls;
  /** Looks at the files again, and tells the servers when the certificate is another one. */
  refresh(): Promise<void>;
  /** Resolves when there is a certificate: on a core it is the core's own first work. Resolves to false when stopped. */
  there(stop: AbortSignal): Promise<boolean>;
}

interface Pair {
  key: string;
  cert: string;
}

export function heldCertificate(files: IdentityFiles, name: string): Held {
  const listeners = new Set<() => void>();
  let pair: Pair | undefined;
  const held = (): Pair => {
    if (!pair) throw new Error(`${files.certificate} is not there yet`);
    return pair;
  };
  const refresh = async () => {
    const [key, cert] = await Promise.all([textOf(files.tlsKey), textOf(files.certificate)]);
    if (!key || !cert || (pair?.key === key && pair.cert === cert) || !belong(key, cert)) return;
    const first = pair === undefined;
    pair = { key, cert };
    if (!first) for (const listener of [...listeners]) listener();
  };
  return {
    refresh,
    tls: {
      name,
      get key() {
        return held().key;
      },
      get cert() {
        return held().cert;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    async there(stop) {
      for (; !stop.aborted; await sleep(50, stop)) {
        await refresh();
        if (pair) return true;
      }
      return false;
    },
  };
}

/** Read between two writes they may not: then the next look finds them. */
function belong(key: string, cert: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
