import { converge } from "../roles/converge.ts";
import type { NodeSpec } from "../roles/node.ts";
import { type RoleName, roleName } from "../roles/role.ts";
import type { Bus } from "./bus/bus.ts";
import { subjects } from "./bus/subjects.ts";
import { type ComponentState, explain, type Hosted, host } from "./host.ts";
import type { Log } from "./run/log.ts";
import { restart } from "./run/restart.ts";
import { type Runner, start, stopped } from "./run/runner.ts";
import { sleep } from "./run/sleep.ts";
import { wishes } from "./wishes.ts";

/** How a node comes to the bus, once there is a core to come to. */
export interface Joined {
  bus: Bus;
  close(): Promise<void>;
}

/** What a node's identity is told, and tells. */
export interface IdentityLink {
  /** Whether the node is on the bus. */
  connected: () => boolean;
  onState: (state: Omit<ComponentState, "name" | "since">) => void;
}

export interface NodeOptions {
  spec: NodeSpec;
  log: Log;
  version: string;
  /** Ready when this node may be what it should be. Absent: it is a cluster by itself. */
  identity?: (link: IdentityLink) => Runner;
  /** Makes the runner of a component. */
  make: (component: string) => Runner;
  /** Joins the bus; retries until it succeeds or the signal is aborted. */
  join: (stop: AbortSignal) => Promise<Joined>;
  /** Told of every change of a component's state. */
  onState?: (states: readonly ComponentState[]) => void;
}

/**
 * The node: finds out who it is, announces itself each beat, learns which roles it should have, and starts and stops
 * components until it has them. It begins with the roles it was born with, because the core may be on this very node.
 */
export function node(options: NodeOptions): Runner {
  const { spec, log, make } = options;
  return {
    name: `node ${spec.id}`,
    async run(stop, ready) {
      const told = states(options);
      const hosted = host({ beat: spec.beat, log, make, onState: told.components });
      const line = { connected: () => false };
      const { identity } = options;
      const self =
        identity &&
        start(lasting(identity({ connected: () => line.connected(), onState: told.self }), options, told.self));
      try {
        if (self) await Promise.race([self.ready, stopped(stop)]);
        if (!stop.aborted) await live({ ...options, hosted, line }, stop, ready);
      } finally {
        await self?.stop();
      }
    },
  };
}

type Line = { connected: () => boolean };
type SelfState = Omit<ComponentState, "name" | "since">;

/** The node's identity, which may have to wait for a person to mend something, and then goes on. */
function lasting(identity: Runner, { spec, log }: NodeOptions, onState: (state: SelfState) => void): Runner {
  return restart(identity, {
    minDelay: spec.beat,
    maxDelay: 30 * spec.beat,
    onExit(error, delay) {
      onState({ state: "failing", ...explain(error) });
      log.error({ error: error?.stack, delay }, "this node cannot say who it is, and tries again");
    },
  });
}

/** What is told of the node: its identity first, then its components. */
function states({ onState }: NodeOptions) {
  let self: ComponentState[] = [];
  let rest: readonly ComponentState[] | undefined;
  const tell = () => onState?.([...self, ...(rest ?? [])]);
  return {
    self(state: SelfState) {
      self = [{ name: "identity", since: Math.floor(Date.now() / 1000), ...state }];
      // That all is ready is told only when it is known what all is.
      if (rest || state.state !== "ready") tell();
    },
    components(states: readonly ComponentState[]) {
      rest = states;
      tell();
    },
  };
}

interface Living extends NodeOptions {
  hosted: Hosted;
  /** Filled in when the node has come to the bus. */
  line: Line;
}

async function live(living: Living, stop: AbortSignal, ready: () => void): Promise<void> {
  const { spec, hosted, log } = living;
  const wanted = { roles: spec.roles as readonly RoleName[] };
  await hosted.apply((running) => converge(wanted.roles, running));
  ready();
  const life = belong(living, wanted, stop).catch((error) => {
    log.error({ error: String(error) }, "the node cannot join the cluster");
  });
  await stopped(stop);
  await life;
  await hosted.apply((running) => converge([], running));
}

/** Joins the cluster and stays in it: beats, and is what the core says it should be. */
async function belong(living: Living, wanted: { roles: readonly RoleName[] }, stop: AbortSignal): Promise<void> {
  const { join, spec, version, hosted, line, log } = living;
  const { bus, close } = await join(stop);
  line.connected = () => bus.connected;
  const become = (names: readonly string[]) => {
    const roles = known(names, log);
    if (sameRoles(roles, wanted.roles)) return;
    log.info({ from: wanted.roles, to: roles }, "the roles of this node change");
    wanted.roles = roles;
    void hosted.apply((running) => converge(wanted.roles, running));
  };
  const wish = wishes({ bus, node: spec.id, beat: spec.beat, log, become });
  while (!stop.aborted) {
    wish.beat();
    bus.publish(subjects.nodeBeat, {
      id: spec.id,
      address: spec.address,
      version,
      roles: [...wanted.roles],
      components: hosted.states().map(({ name, state, since, reason }) => ({ name, state, since, reason })),
    });
    await sleep(spec.beat, stop);
  }
  wish.stop();
  await close();
}

/** A core may know roles that this agent is too old for. */
function known(names: readonly string[], log: Log): RoleName[] {
  const roles = names.flatMap((name) => roleName.safeParse(name).data ?? []);
  const strange = names.filter((name) => !roles.includes(name as RoleName));
  if (strange.length > 0) log.warn({ roles: strange }, "this agent does not know these roles: it may be too old");
  return roles;
}

function sameRoles(a: readonly RoleName[], b: readonly RoleName[]): boolean {
  return a.length === b.length && a.every((role) => b.includes(role));
}
