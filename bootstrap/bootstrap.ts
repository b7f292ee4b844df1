import { setTimeout as sleep } from "node:timers/promises";
import { type Call, call, passwordsOf, type Run, runOf } from "./call.ts";
import { type Claimed, claimAt } from "./claim.ts";
import { settle } from "./commands.ts";
import { BootstrapFault, faultOf, together } from "./fault.ts";
import type { BootstrapOptions, BootstrapResult, NodeResult } from "./options.ts";
import { rememberedAs } from "./target.ts";
import { carryOut, type Visited } from "./visit.ts";

/**
 * First contact with a new cluster: comes to every node by ssh, waits until it is ready, brings the identity where it is
 * missing, and takes the license step on the controller's own loopback. Safe to repeat, at any time. Rejects with
 * BootstrapFault, whose code says which of the ends it was.
 */
export async function bootstrap(options: BootstrapOptions): Promise<BootstrapResult> {
  const run = runOf(options);
  const calls = options.nodes.map((target) => call(target, run));
  try {
    const [controller, visited] = await controllerOf(calls, run);
    const claimed = await claimAt(controller, visited, run);
    run.tell(controller.target, "done", claimed.licensed.outcome === "done" ? "license step taken" : "already ours");
    return resultOf({ run, claimed, controller, nodes: await everyNode(calls, run) });
  } finally {
    run.halt();
    for (const { done } of calls) done.then(({ session }) => session.close()).catch(() => {});
  }
}

/** The first node with a controller that is ready. */
async function controllerOf(calls: readonly Call[], run: Run): Promise<[Call, Visited]> {
  let seen = false;
  const candidates = calls.map(async (one): Promise<[Call, Visited]> => {
    const roles = one.target.roles ?? (await one.first).node?.roles ?? [];
    if (!roles.includes("controller")) throw new Error("has no controller");
    seen = true;
    return [one, await one.done];
  });
  try {
    return await Promise.any(candidates);
  } catch {
    const faults = await faultsSoFar(calls, run);
    // A node that could not be looked at may have been the controller.
    if (!seen && faults.size === 0) throw noController();
    throw together(faults);
  }
}

/** Without a controller nothing will come of it: those that are still waited for get a moment to say what is wrong too. */
async function faultsSoFar(calls: readonly Call[], run: Run): Promise<Map<string, BootstrapFault>> {
  const all = Promise.allSettled(calls.map(({ done }) => done));
  await Promise.race([all, sleep(1000, undefined, { ref: false })]);
  run.halt();
  return faultsIn(calls, await all);
}

function faultsIn(calls: readonly Call[], ends: readonly PromiseSettledResult<unknown>[]): Map<string, BootstrapFault> {
  const all = ends.flatMap((end, i) =>
    end.status === "rejected" ? [[calls[i]?.target.name ?? "", faultOf(end.reason)] as const] : [],
  );
  const telling = all.filter(([, { code }]) => code !== "stopped");
  return new Map(telling.length > 0 ? telling : all);
}

/** Waits for all nodes, also when one of them fails: what can be done is done. */
async function everyNode(calls: readonly Call[], run: Run): Promise<NodeResult[]> {
  const ends = await Promise.allSettled(calls.map((one) => finish(one, run)));
  const faults = faultsIn(calls, ends);
  if (faults.size > 0) throw together(faults);
  return ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
}

/** Now that it is known whose cluster this is, the machine's old password goes. */
async function finish({ target, done }: Call, run: Run): Promise<NodeResult> {
  const { session, picture, settled, seconds } = await done;
  const { node } = picture;
  if (!node) throw new Error("a node that is ready has no node.json");
  const passwords = settled.includes("password rotated") ? [] : passwordsOf(target, picture, run);
  const command = settle({ home: node.home, passwords });
  const rotated = command ? await carryOut(session, command) : [];
  if (rotated.length > 0) run.tell(target, "done", rotated.join(", "));
  const { name, instance, host, port } = target;
  const steps = [...(picture.hasAuthority ? ["authority there"] : []), ...settled, ...rotated];
  return {
    ...{ name, instance, seconds, steps: settled.includes("authority delivered") ? steps.slice(1) : steps },
    ...{ id: node.id, roles: node.roles, ssh: `${host}:${port}`, hostKey: session.hostKey.fingerprint },
    ...{ machine: rememberedAs(target), trips: session.trips() },
  };
}

interface Ending {
  readonly run: Run;
  readonly claimed: Claimed;
  readonly controller: Call;
  readonly nodes: readonly NodeResult[];
}

function resultOf({ run, claimed, controller, nodes }: Ending): BootstrapResult {
  const { licensed, email, api, node } = claimed;
  const { outcome, ...login } = licensed;
  const seconds = (performance.now() - run.began) / 1000;
  return { outcome, cluster: node.cluster, api, email, controller: controller.target.name, nodes, login, seconds };
}

const noController = () =>
  new BootstrapFault("none of these nodes has a controller, where the license step is taken", {
    code: "no_controller",
    hint: "name all nodes of the cluster, or at least one with the role controller",
  });
