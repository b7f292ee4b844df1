import type { DeaHeartbeat, DropletExited } from "../bus/messages/instance.ts";
import type { RouterRegister } from "../bus/messages/router.ts";
import type { Subject } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import type { Holdings } from "./holdings.ts";
import type { Member } from "./members.ts";

export interface Statement {
  /** The row of the table that it is said on. */
  readonly row: Pick<Subject<unknown>, "name" | "of">;
  readonly payload: unknown;
  /** Id of the node that says it. */
  readonly node: string;
  readonly member: Member | undefined;
  /** The id of its DEA. */
  readonly dea: string;
}

/** `wait`: nobody can know yet. A text says why it is not passed on. */
export type Verdict = "true" | "wait" | { readonly false: string };

/** The messages that a node may say through a core, by their subject. */
export const vouched: ReadonlyMap<string, Subject<unknown>> = new Map(
  (Object.values(subjects) as Subject<unknown>[]).filter(({ of }) => of).map((row) => [row.name, row]),
);

/** Whether a node speaks of itself. */
export function judge({ row, payload, node, member, dea }: Statement, holdings: Holdings): Verdict {
  if (!member || member.revoked !== undefined) return { false: "it is no member" };
  switch (row.of) {
    case "node":
      return same("the node", (payload as { id: string }).id, node);
    case "host":
      return ofHost(payload as RouterRegister, { dea, address: member.address });
    case "dea":
      if (row.name === subjects.dropletExited.name) return ofExit(payload as DropletExited, dea, holdings);
      if (row.name === subjects.deaHeartbeat.name) return ofHeartbeat(payload as DeaHeartbeat, dea, holdings);
      return same("the DEA", (payload as { id: string }).id, dea);
    default:
      return { false: "nobody says that of itself" };
  }
}

function same(what: string, said: string, own: string): Verdict {
  return said === own ? "true" : { false: `it speaks of ${what} ${said.slice(0, 100)}` };
}

function ofHost({ host, dea }: RouterRegister, own: { dea: string; address: string }): Verdict {
  const verdict = same("the address", host, own.address);
  return verdict === "true" && dea !== undefined ? same("the DEA", dea, own.dea) : verdict;
}

function ofHeartbeat({ dea, droplets }: DeaHeartbeat, own: string, holdings: Holdings): Verdict {
  const verdict = same("the DEA", dea, own);
  const foreign = verdict === "true" && holdings.conflict(own, droplets);
  return foreign ? { false: `it claims the instance ${foreign.instance.slice(0, 100)}, which is another's` } : verdict;
}

/** The message does not tell whose instance has ended: the heartbeats do. */
function ofExit({ instance, droplet }: DropletExited, own: string, holdings: Holdings): Verdict {
  const holder = holdings.holder(instance);
  if (!holder) return holdings.settled ? "true" : "wait";
  if (holder.dea !== own) return same("the DEA", holder.dea, own);
  return holder.droplet === droplet ? "true" : { false: "it speaks of an instance of another app" };
}
