import type { CoreObstacle, Outcome } from "./ask.ts";
import type { IdentityState } from "./newcomer.ts";

export interface Telling {
  readonly outcome: Outcome;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What the cores have said, or why they have not, for the person who waits for the node. Pure. */
export function stateOf({ outcome, now }: Telling): IdentityState {
  if (outcome.kind === "unanswered") return waiting(outcome.obstacles, now);
  const { answer, core } = outcome;
  if ("certificate" in answer) return { state: "ready" };
  const { code, message, hint = "see the log of the core" } = answer.error;
  return { state: "failing", code, reason: `${core} does not let this node in: ${message}`, hint };
}

function waiting(obstacles: readonly CoreObstacle[], now: number): IdentityState {
  const all = obstacles
    .map(({ core, text }) => `${core}: ${text}`)
    .sort()
    .join("; ");
  const met = (obstacle: CoreObstacle["obstacle"]) => obstacles.some((one) => one.obstacle === obstacle);
  if (met("stranger"))
    return {
      state: "failing",
      code: "wrong_authority",
      reason: `whoever answers is not a core of this cluster (${all})`,
      hint: "look who has that address; if the cluster was made anew, this node needs the new cluster's node.json",
    };
  if (met("clock"))
    return {
      state: "failing",
      code: "clock_differs",
      reason: `a core's certificate and this machine's clock do not agree (${all})`,
      hint: `it is ${new Date(now).toISOString()} here: set the clock, or renew the core's certificate`,
    };
  return {
    state: "starting",
    code: "waiting_for_core",
    reason: `no core has let this node in yet (${all})`,
    hint: "it joins by itself as soon as a core answers; a core that is new waits for its identity: tutti bootstrap",
  };
}

/** The certificate that a core gave is of no use here. Pure. */
export function uselessCertificate(core: string, why: string, now: number): IdentityState {
  return {
    state: "failing",
    code: "certificate_useless",
    reason: `the certificate that ${core} gave ${why}`,
    hint: `it is ${new Date(now).toISOString()} here: compare the clocks of both machines, then the cluster's authority`,
  };
}
