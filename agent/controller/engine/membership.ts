import { z } from "zod";
import type { Bus } from "../../bus/bus.ts";
import { deaIdOf } from "../../bus/deaId.ts";
import type { ClaimAnswer, RevokeAnswer } from "../../bus/messages/membership.ts";
import { subjects } from "../../bus/subjects.ts";
import { bucket, type Store } from "../../store/store.ts";
import type { Deas } from "./deas.ts";
import type { Nodes } from "./nodes.ts";

/** What a machine has to know that is to become a node of this cluster, beside what a claim brings. */
export interface Newcomer {
  readonly cluster: string;
  /** Milliseconds. */
  readonly beat: number;
  /** Seconds. */
  readonly crashLifetime: number;
  /** As in `node.json`. */
  readonly ports: Readonly<Record<string, number | { readonly first: number; readonly last: number }>>;
}

/** A node that has been let in, by what the cores have written down. */
export interface MemberView {
  readonly id: string;
  /** What it should be. */
  readonly roles: readonly string[];
  /** IP; "" when another node has it now. */
  readonly address: string;
  /** The machine's own name. */
  readonly instance: string;
  /** Unix milliseconds at which it was shut out; absent: it belongs to the cluster. */
  readonly removed?: number | undefined;
  /** Instances of apps that its DEA holds; absent where no DEA of it is heard. */
  readonly instances?: number | undefined;
}

/** Who belongs to the cluster, and the way in and out. */
export interface Membership {
  /** Absent: the cluster is one machine, and stays it. */
  readonly newcomer: Newcomer | undefined;
  /** By id. Empty on a cluster of one machine. */
  all(): Promise<MemberView[]>;
  /** A claim for a machine that is to become the node; undefined when no core has answered. */
  claim(node: string, roles: readonly string[]): Promise<ClaimAnswer | undefined>;
  /** Shuts a node out; undefined when no core has answered. */
  revoke(node: string): Promise<RevokeAnswer | undefined>;
}

export interface MembershipOptions {
  readonly bus: Bus;
  readonly store: Store;
  readonly deas: Deas;
  readonly nodes: Nodes;
  readonly newcomer?: Newcomer | undefined;
}

/** As far as we read them: cores write `members`, and `nodes` says what each should be. */
const member = z.object({
  key: z.string(),
  index: z.number(),
  instance: z.string(),
  address: z.string(),
  roles: z.array(z.string()),
  revoked: z.number().optional(),
});
const wish = z.object({ roles: z.array(z.string()) });

/** Milliseconds: a core writes to three disks before it answers. */
const patience = 5000;

export function membership({ bus, store, deas, nodes, newcomer }: MembershipOptions): Membership {
  const [members, wishes] = [bucket(store, "members", member), bucket(store, "nodes", wish)];
  return {
    newcomer,
    async all() {
      const [known, wanted] = await Promise.all([members.list(), wishes.list()]);
      const roles = new Map(wanted.map(({ key, value }) => [key, value.roles]));
      const views = known.map(({ key: id, value }) => {
        const { address, instance, revoked: removed } = value;
        const counts = deas.get(deaIdOf(value))?.counts;
        const instances = counts && Object.values(counts).reduce((sum, one) => sum + one, 0);
        return { id, roles: roles.get(id) ?? value.roles, address, instance, removed, instances };
      });
      return views.sort((one, other) => (one.id < other.id ? -1 : 1));
    },
    claim: (node, roles) => bus.request(subjects.claim, { node, roles: [...roles] }, { timeout: patience }),
    async revoke(node) {
      const answer = await bus.request(subjects.revoke, { node }, { timeout: patience });
      if (answer && "revoked" in answer) nodes.forget(node);
      return answer;
    },
  };
}
