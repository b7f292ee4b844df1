import type { IdentityState, Joining } from "./newcomer.ts";

/** Milliseconds after which a reason that has not changed is said again. */
const again = 300_000;

export type Teller = (state: IdentityState) => void;

/** Tells of each change: in the log, and to whoever shows the node's state. */
export function teller({ log, onState, now = Date.now }: Pick<Joining, "log" | "onState" | "now">): Teller {
  let said = "";
  let at = 0;
  return (state) => {
    const key = `${state.state} ${state.code} ${state.reason}`;
    if (key !== said) onState?.(state);
    if (key === said && now() - at < again) return;
    said = key;
    at = now();
    const { state: how, ...fields } = state;
    if (how === "failing") log.error(fields, "this node is not let in");
    if (how === "starting") log.info(fields, "this node waits to be let in");
    if (how === "ready") log.info({}, "this node is a member of the cluster");
  };
}
