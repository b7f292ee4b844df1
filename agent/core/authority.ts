import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Authority } from "../../pki/authority.ts";
import { Fault } from "../run/fault.ts";
import type { Cluster } from "./cluster.ts";

const shape = z.object({ certificate: z.string(), key: z.string(), join: z.string().min(1) });

/** What makes this node a core. Rejects with a Fault `no_identity`, or `wrong_identity` when it is another cluster's. */
export async function readAuthority({ identity, ca, name }: Cluster): Promise<Authority> {
  const file = join(identity, "authority.json");
  const authority = await readFile(file, "utf8").then(parsed, (cause) => {
    throw missing(file, "is not there", cause);
  });
  if (!authority) throw missing(file, "cannot be read");
  if (authority.certificate.trim() !== ca.trim())
    throw new Fault(`${file} is the identity of another cluster than ${name}`, {
      code: "wrong_identity",
      hint: "the node's certificate authority in node.json and the delivered identity must come from the same stack",
    });
  return authority;
}

function parsed(text: string): Authority | undefined {
  try {
    const authority = shape.parse(JSON.parse(text));
    const certificate = new X509Certificate(authority.certificate);
    return certificate.checkPrivateKey(createPrivateKey(authority.key)) ? authority : undefined;
  } catch {
    // The error would show what was read, and that is secret.
    return undefined;
  }
}

function missing(file: string, what: string, cause?: unknown): Fault {
  return new Fault(`${file} ${what}`, { code: "no_identity", hint: "tutti bootstrap delivers it", cause });
}
