import { stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { type Asking, askToJoin, askToRenew, type Outcome } from "./ask.ts";
import { type IdentityFiles, identityFiles, replace, textOf } from "./files.ts";
import { judge, type Standing } from "./judge.ts";
import { type NodeKeys, nodeKeys } from "./keys.ts";
import type { IdentityState, Joining, Newcomer } from "./newcomer.ts";
import { type Teller, teller } from "./teller.ts";
import { stateOf, uselessCertificate } from "./words.ts";

/** A node that has been let in. */
export interface Member {
  readonly files: IdentityFiles;
  readonly keys: NodeKeys;
}

export interface JoiningUntil extends Joining {
  readonly stop: AbortSignal;
  /** Tells of each change. */
  readonly tell?: Teller;
}

/**
 * Makes the node's keys if there are none, and resolves when it has a certificate that is of use: at once when it has
 * been let in before. Tries for ever and says why it waits. Each step may be cut off and is taken up again: the keys
 * come first and stay, a core gives the same keys the same answer, and the certificate is stored in one moment.
 * Rejects when the keys cannot be kept, or when `stop` is aborted.
 */
export async function joinCluster(joining: JoiningUntil): Promise<Member> {
  const { spec, stop, tell = teller(joining) } = joining;
  const files = identityFiles(spec.home);
  const keys = await nodeKeys(files);
  await untilBorn(joining.spec, tell, stop);
  for (let attempt = 0; ; attempt++) {
    stop.throwIfAborted();
    const standing = await standingOf(joining, files, keys);
    const state = usable(standing) ? { state: "ready" as const } : await step({ ...joining, keys, files, standing });
    tell(state);
    if (state.state === "ready") return { files, keys };
    await sleep(pause(state, attempt, spec.beat), stop);
  }
}

/** Without an authority there is nobody to trust: whoever writes one into node.json starts the agent anew. */
export async function untilBorn({ join, id }: Newcomer, tell: Teller, stop: AbortSignal): Promise<void> {
  if (join.ca.trim() !== "") return;
  tell({
    state: "starting",
    code: "waiting_for_authority",
    reason: `${id} has not been told whom to trust: its cluster does not exist yet`,
    hint: "tutti bootstrap makes the cluster, and tells its nodes",
  });
  await stopped(stop);
}

/** What the node's certificate is worth now. */
export async function standingOf(
  { spec, now = Date.now }: Joining,
  files: IdentityFiles,
  { tlsPublic }: NodeKeys,
): Promise<Standing> {
  const { id, address, join } = spec;
  return judge(await textOf(files.certificate), { id, address, ca: join.ca, tlsPublic, now: now() });
}

export const usable = ({ verdict }: Standing) => verdict === "good" || verdict === "due";

export interface Step extends Joining, Asking, Member {
  readonly standing: Standing;
}

/** Asks once, by what the node is so far, and keeps the certificate that comes. */
export async function step(asking: Step): Promise<IdentityState> {
  const { standing, log, now = Date.now } = asking;
  log.debug({ certificate: standing.why }, "asking the cores for a certificate");
  const outcome = standing.verdict === "none" ? await askToJoin(asking) : await renewOrJoin(asking);
  if (outcome.kind === "answered" && "certificate" in outcome.answer)
    return await accept(asking, outcome.core, outcome.answer.certificate);
  return stateOf({ outcome, now: now() });
}

/** A core that does not know a member any more tells why only to one that shows its claim. */
async function renewOrJoin(asking: Asking): Promise<Outcome> {
  const outcome = await askToRenew(asking);
  const unknown = outcome.kind === "unanswered" && outcome.obstacles.some(({ obstacle }) => obstacle === "refused");
  return unknown ? await askToJoin(asking) : outcome;
}

async function accept({ spec, files, keys, log, now = Date.now }: Step, core: string, certificate: string) {
  const { id, address, join } = spec;
  const standing = judge(certificate, { id, address, ca: join.ca, tlsPublic: keys.tlsPublic, now: now() });
  if (!usable(standing)) return uselessCertificate(core, standing.why, now());
  await replace(files.certificate, certificate);
  log.info({ core, certificate: standing.why }, "a core has given this node its certificate");
  return { state: "ready" as const };
}

/**
 * Milliseconds until the next try. What a person has to mend is not asked for often; a core that is away is back for
 * everybody at once, so that nobody's turn is the same as another's.
 */
function pause({ state }: IdentityState, attempt: number, beat: number): number {
  if (state === "failing") return 30 * beat;
  return Math.min(5 * beat, (beat / 4) * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);
}
