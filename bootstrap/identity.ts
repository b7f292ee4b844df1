import type { Authority } from "../pki/authority.ts";
import { makeClaim } from "../pki/claim.ts";
import { BootstrapFault } from "./fault.ts";
import type { Picture } from "./picture.ts";

/** What a node still needs of the cluster's identity: texts of files. */
export interface Identity {
  /** `authority.json` */
  readonly authority?: string;
  /** `node.json` with the certificate and a claim. */
  readonly node?: string;
}

/** Gives the authority of a cluster, if it is kept here; makes one only when told so. */
export type AuthorityOf = (cluster: string, make: boolean) => Promise<Authority | undefined>;

/**
 * Cores keep the authority. On EC2 their machines fetch it themselves; elsewhere it is brought to them. A node.json whose
 * `join.ca` is empty belongs to a cluster that does not exist yet: it is told whom to trust now.
 */
export async function identityOf(picture: Picture, authorityOf: AuthorityOf, now: number): Promise<Identity> {
  const { node, hasAuthority, nodeText } = picture;
  if (!node?.join) return {};
  const unborn = node.join.ca.trim() === "";
  const lacks = node.roles.includes("core") && !hasAuthority;
  if (!unborn && !lacks) return {};
  const authority = await authorityOf(node.cluster, unborn);
  // Its own boot script fetches it, as on EC2.
  if (!authority && picture.hasBoot) return {};
  if (!authority || (!unborn && authority.certificate.trim() !== node.join.ca.trim())) throw foreign(node.cluster);
  const { certificate, key, join } = authority;
  return {
    ...(lacks && { authority: `${JSON.stringify({ certificate, key, join })}\n` }),
    ...(unborn && { node: told(nodeText, { certificate, key, join }, now) }),
  };
}

function told(text: string, { certificate, join }: Authority, now: number): string {
  const node = JSON.parse(text) as { id: string; roles: string[]; join: object };
  const claim = makeClaim({ join, node: node.id, roles: node.roles, now });
  return `${JSON.stringify({ ...node, join: { ...node.join, ca: certificate, claim } }, undefined, 2)}\n`;
}

function foreign(cluster: string): BootstrapFault {
  return new BootstrapFault(`this core trusts an authority of ${cluster} whose key is not kept here`, {
    code: "authority_differs",
    hint: "run it where the cluster was made (its ~/.tutti has the key), or bring authority.json there yourself",
  });
}
