import { isDeepStrictEqual } from "node:util";
import { issueLeaf } from "../../pki/leaf.ts";
import type { Message } from "../bus/bus.ts";
import type { JoinAnswer, JoinRequest, RenewRequest } from "../bus/messages/membership.ts";
import type { Subject } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { admission, atSight, bad, type Decision, type Facts, type Refusal, renewal } from "./admission.ts";
import { type Neighbours, neighboursOf } from "./neighbours.ts";
import { born, type OfficeOptions, records } from "./office.ts";
import { sparing } from "./sparing.ts";

export interface Doorkeeper {
  readonly runner: Runner;
  readonly counts: { admitted: number; refused: number };
}

/** Who asks. */
interface Asker extends RenewRequest {
  readonly node: string;
}

/** Lets machines in and keeps them out: answers `tutti.v1.join`, and members that want a new certificate. */
export function doorkeeper(options: OfficeOptions): Doorkeeper {
  const { bus, authority, cluster, settled, beat, log, now = Date.now } = options;
  const { wishes } = records(options.store);
  const counts = { admitted: 0, refused: 0 };
  const warn = sparing(log, { most: 20, time: 30 * beat });
  const refuse = (refused: Refusal, { node, instance, address }: Asker): JoinAnswer => {
    counts.refused++;
    warn({ node, instance, address, code: refused.code }, `a machine is not let in: ${refused.message}`);
    return { error: refused };
  };
  const join = async (request: JoinRequest): Promise<JoinAnswer> => {
    const strange = atSight(request, { join: authority.join, now: now() });
    if (strange) return refuse(strange, request);
    const outcome = await settle(request, (facts) => admission(request, facts), options);
    if ("refused" in outcome) return refuse(outcome.refused, request);
    const { node, instance, address, claim } = request;
    await born(wishes, node, claim.roles);
    counts.admitted++;
    log.info({ node, instance, address, roles: claim.roles, claim: claim.id }, "a node was let in");
    // The bus knows it when it hears so, also at the other cores; if that takes long it may as well try.
    const others = cluster.cores.length > 1 ? beat / 10 : 0;
    await Promise.race([settled().then(() => sleep(others)), sleep(2 * beat)]);
    return outcome;
  };
  const renew = async (request: RenewRequest, node: string): Promise<JoinAnswer> => {
    const asker = { ...request, node };
    const outcome = await settle(asker, (facts) => renewal(request, facts), options);
    if ("refused" in outcome) return refuse(outcome.refused, asker);
    log.info({ node, address: request.address }, "a node has a new certificate");
    return outcome;
  };
  const answering = <P>(row: Subject<P, JoinAnswer>, answer: (payload: P, subject: string) => Promise<JoinAnswer>) =>
    bus.subscribe(row, async (payload: P, message: Message<JoinAnswer>) => {
      try {
        message.reply(await answer(payload, message.subject));
      } catch (error) {
        // Silence makes the machine ask another core.
        log.warn({ subject: message.subject, error: String(error) }, "a machine that asks has to wait");
      }
    });
  const runner: Runner = {
    name: "doorkeeper",
    async run(stop, ready) {
      const asked = [
        answering(subjects.join, join),
        answering(subjects.nodeRenew, (request, subject) => renew(request, subject.split(".")[3] ?? "")),
      ];
      await bus.flush();
      ready();
      await stopped(stop);
      for (const one of asked) one.stop();
    },
  };
  return { runner, counts };
}

type Outcome = { readonly certificate: string } | { readonly refused: Refusal };

/** Decides and writes it down in one step, whatever another core decides at the same time. */
async function settle(asker: Asker, decide: (facts: Facts) => Decision, options: OfficeOptions): Promise<Outcome> {
  const { authority, roster, now = Date.now } = options;
  const { members } = records(options.store);
  const neighbours = neighboursOf(asker, options);
  const { node, address, tlsKey: key } = asker;
  let outcome: Outcome = { refused: bad("nothing was decided") };
  const entry = await members.update(node, (member) => {
    const decision = decide({ join: authority.join, now: now(), member, ...neighbours });
    outcome = "refused" in decision ? decision : issued(() => issueLeaf({ authority, key, node, address, now: now() }));
    if ("refused" in outcome || "refused" in decision) return undefined;
    return isDeepStrictEqual(decision.member, member) ? undefined : decision.member;
  });
  if ("refused" in outcome) return outcome;
  if (entry) roster.learn(entry);
  await take(neighbours, options);
  return outcome;
}

function issued(issue: () => string): Outcome {
  try {
    return { certificate: issue() };
  } catch (error) {
    return { refused: bad(`there is no certificate for that key: ${error instanceof Error ? error.message : error}`) };
  }
}

/** An address has one owner: those that had it and are gone do not speak of it any more, should they come back. */
async function take({ gone }: Neighbours, { store }: OfficeOptions): Promise<void> {
  const { members } = records(store);
  for (const node of gone) await members.update(node, (member) => member && { ...member, address: "" });
}
