import { z } from "zod";
import { converge } from "../roles/converge.ts";
import type { NodeSpec } from "../roles/node.ts";
import { type RoleName, roleName } from "../roles/role.ts";
import type { Bus } from "./bus/bus.ts";
import { subjects } from "./bus/subjects.ts";
import { type ComponentState, type Hosted, host } from "./host.ts";
import type { Log } from "./run/log.ts";
import { type Runner, stopped } from "./run/runner.ts";
import { sleep } from "./run/sleep.ts";
import { bucket, type Store } from "./store/store.ts";

/** How a node comes to the bus and the store, once there is a core to come to. */
export interface Joined {
  bus: Bus;
  store: Store;
  close(): Promise<void>;
}

export interface NodeOptions {
  spec: NodeSpec;
  log: Log;
  version: string;
  /** Makes the runner of a component. */
  make: (component: string) => Runner;
  /** Joins bus and store; retries until it succeeds or the signal is aborted. */
  join: (stop: AbortSignal) => Promise<Joined>;
  /** Told of every change of a component's state. */
  onState?: (states: readonly ComponentState[]) => void;
}

/** What a node should be, as the store remembers it: key = node id. */
const nodeRecord = z.object({ roles: z.array(roleName) });

/**
 * The node: announces itself each beat, learns which roles it should have, and starts and stops components until it
 * has them. It begins with the roles it was born with, because the store may be on this very node.
 */
export function node(options: NodeOptions): Runner {
  const { spec, log, make } = options;
  return {
    name: `node ${spec.id}`,
    async run(stop, ready) {
      const hosted = host({ beat: spec.beat, log, make, onState: (states) => options.onState?.(states) });
      const wanted = { roles: spec.roles as readonly RoleName[] };
      const apply = () => hosted.apply((running) => converge(wanted.roles, running));
      await apply();
      ready();
      const life = belong({ ...options, hosted, wanted, apply }, stop).catch((error) => {
        log.error({ error: String(error) }, "the node cannot join the cluster");
      });
      await stopped(stop);
      await life;
      await hosted.apply((running) => converge([], running));
    },
  };
}

interface Belonging extends NodeOptions {
  hosted: Hosted;
  wanted: { roles: readonly RoleName[] };
  apply: () => Promise<void>;
}

/** Joins the cluster and stays in it: beats, and follows what the store says of this node. */
async function belong(
  { join, spec, version, hosted, wanted, apply, log }: Belonging,
  stop: AbortSignal,
): Promise<void> {
  const joined = await join(stop);
  const nodes = bucket(joined.store, "nodes", nodeRecord);
  const follow = async () => {
    // A node that nobody has told otherwise is what it was born as.
    await nodes.create(spec.id, { roles: spec.roles }).catch(() => {});
    return nodes.watch(({ key, value }) => {
      if (key !== spec.id || !value || sameRoles(value.roles, wanted.roles)) return;
      log.info({ from: wanted.roles, to: value.roles }, "the roles of this node change");
      wanted.roles = value.roles;
      void apply();
    });
  };
  const watching = await follow();
  while (!stop.aborted) {
    joined.bus.publish(subjects.nodeBeat, {
      id: spec.id,
      address: spec.address,
      version,
      roles: [...wanted.roles],
      components: hosted.states().map(({ name, state, since, reason }) => ({ name, state, since, reason })),
    });
    await sleep(spec.beat, stop);
  }
  watching.stop();
  await joined.close();
}

function sameRoles(a: readonly RoleName[], b: readonly RoleName[]): boolean {
  return a.length === b.length && a.every((role) => b.includes(role));
}
