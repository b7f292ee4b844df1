import { madeAt, makeClaim } from "../../pki/claim.ts";
import type { ClaimAnswer } from "../bus/messages/membership.ts";
import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { bad, isNodeId, type Refusal } from "./admission.ts";
import type { Member } from "./members.ts";
import { born, type OfficeOptions, records } from "./office.ts";

/** Makes claims for new nodes, and shuts nodes out. */
export function steward(options: OfficeOptions): Runner {
  const { bus, roster, cluster, beat, log, now = Date.now } = options;
  const { members, wishes } = records(options.store);
  const revoke = async (node: string): Promise<{ revoked: string } | { error: Refusal }> => {
    const entry = await members.update(node, (member) =>
      member && member.revoked === undefined ? { ...member, revoked: Math.max(now(), letInAt(member)) } : undefined,
    );
    if (!entry) return { error: noSuch(node) };
    roster.learn(entry);
    await wishes.delete(node);
    log.info({ node }, "a node was shut out");
    return { revoked: node };
  };
  const claim = async (node: string, roles: readonly string[]): Promise<ClaimAnswer> => {
    const wrong = unfit(node, roles, cluster.node);
    if (wrong) return { error: bad(wrong) };
    const member = (await members.get(node))?.value;
    // Later than whatever it replaces, also where the clock that made the last one was fast.
    const later = member ? Math.max(letInAt(member), member.revoked ?? 0) + 1 : 0;
    const made = makeClaim({ join: options.authority.join, node, roles, now: Math.max(now(), later) });
    return { claim: made, cores: [...cluster.cores], ca: cluster.ca };
  };
  return {
    name: "steward",
    async run(stop, ready) {
      const heard = [
        bus.subscribe(subjects.claim, async ({ node, roles }, { reply }) => reply(await claim(node, roles))),
        bus.subscribe(subjects.revoke, async ({ node }, { reply }) => reply(await revoke(node))),
      ];
      await bus.flush();
      ready();
      while (!stop.aborted && !(await welcomed(options))) await sleep(beat, stop);
      await stopped(stop);
      for (const one of heard) one.stop();
    },
  };
}

/** Writes down what the core's own node is born as. False while the store cannot be reached. */
async function welcomed({ store, cluster }: OfficeOptions): Promise<boolean> {
  return await born(records(store).wishes, cluster.node, cluster.roles).then(
    () => true,
    () => false,
  );
}

const letInAt = (member: Member) => madeAt({ id: member.claim });

function unfit(node: string, roles: readonly string[], self: string): string | undefined {
  if (!isNodeId(node)) return "a node's id consists of a-z, 0-9 and -, at most 63 of them";
  if (node === self) return `${node} is a core`;
  if (roles.includes("core")) return "a core is made by the cluster's own identity, not by a claim";
  return roles.length > 0 && roles.every((role) => /^[a-z]+$/.test(role)) ? undefined : "a node has one role or more";
}

const noSuch = (node: string): Refusal => ({
  code: "no_such_node",
  message: `no node ${JSON.stringify(node.slice(0, 100))} was let in`,
  hint: "tutti node list shows them; a core cannot be removed so",
});
