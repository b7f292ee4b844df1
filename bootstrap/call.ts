import { type Command, settle } from "./commands.ts";
import { type BootstrapFault, faultOf } from "./fault.ts";
import { gate } from "./gate.ts";
import { identityOf } from "./identity.ts";
import type { BootstrapOptions } from "./options.ts";
import type { Picture } from "./picture.ts";
import { rememberedAs, type Target } from "./target.ts";
import { type Visited, type VisitOptions, visit } from "./visit.ts";

/** So many machines are connected to at a time: a handshake is work, waiting is not. */
const abreast = 32;
const tenMinutes = 600_000;

/** What all calls of one run share. */
export interface Run {
  readonly options: BootstrapOptions;
  readonly began: number;
  /** Milliseconds, as performance.now() counts them. */
  readonly deadline: number;
  readonly pace: number;
  readonly stop: AbortSignal;
  /** The first user's password: undefined as long as it was not made up, unless `make` is true. */
  password(make?: boolean): string | undefined;
  /** Ends all calls. */
  halt(): void;
  readonly gate: VisitOptions["gate"];
  /** Tells a person, each thing once. */
  tell(target: Target, state: "waiting" | "done" | "failed", text: string): void;
}

/** A node as it is being called. */
export interface Call {
  readonly target: Target;
  /** The first that was seen of it as a node. */
  readonly first: Promise<Picture>;
  readonly done: Promise<Visited & { readonly seconds: number }>;
}

export function runOf(options: BootstrapOptions): Run {
  const { timeout = tenMinutes, pace = 250, stop } = options;
  const began = performance.now();
  const own = new AbortController();
  const last = new Map<string, string>();
  let { password } = options.login;
  return {
    ...{ options, began, pace, deadline: began + timeout, gate: gate(abreast) },
    stop: stop ? AbortSignal.any([stop, own.signal]) : own.signal,
    halt: () => own.abort(),
    password(make = false) {
      if (make) password ??= options.login.makeUp?.();
      return password;
    },
    tell({ name }, state, text) {
      if (last.get(name) !== text) options.told?.({ node: name, state, text });
      last.set(name, text);
    },
  };
}

/** Calls a node. Its promises may be looked at or not. */
export function call(target: Target, run: Run): Call {
  const first = Promise.withResolvers<Picture>();
  const done = visit(target, visitOptions(target, run, first.resolve)).then((visited) => {
    run.tell(target, "done", ["ready", ...visited.settled].join(", "));
    return { ...visited, seconds: (performance.now() - run.began) / 1000 };
  });
  done.catch((error: unknown) => {
    first.reject(error);
    grave(faultOf(error), target, run);
  });
  first.promise.catch(() => {});
  return { target, first: first.promise, done };
}

/** Somebody in between is no trouble of one node only: nothing more is said to anybody. */
function grave(fault: BootstrapFault, target: Target, run: Run): void {
  if (fault.code !== "stopped") run.tell(target, "failed", fault.message.split("\n")[0] ?? "");
  if (fault.code === "host_key_differs" || fault.code === "host_key_revoked") run.halt();
}

export function visitOptions(target: Target, run: Run, onFirst: (picture: Picture) => void): VisitOptions {
  const { options, deadline, pace, stop, gate: limit } = run;
  const { keys, console, ask, onPinned, patience, knownHosts = "" } = options;
  return {
    ...{ keys, knownHosts, console, ask, onPinned, patience, deadline, pace, stop, onFirst, gate: limit },
    tell: (why) => run.tell(target, "waiting", why),
    settle: (picture) => lacking(target, picture, run),
  };
}

/**
 * What is put on a node before it is ready. A password goes with it only where the cluster does not exist yet, as then
 * nobody else can have come first; else it waits until the license step has shown whose the cluster is.
 */
async function lacking(target: Target, picture: Picture, run: Run): Promise<Command | undefined> {
  const { options } = run;
  if (!picture.node || !options.authority || target.instance) return undefined;
  const { home } = picture.node;
  const identity = await identityOf(picture, options.authority, Date.now());
  const fresh = identity.authority !== undefined;
  if (fresh && picture.passwords.length > 0) run.password(true);
  return settle({ ...identity, home, ...(fresh && { passwords: passwordsOf(target, picture, run) }) });
}

/** The new passwords of a node's users. */
export function passwordsOf(target: Target, { passwords }: Picture, run: Run) {
  const { login, rotated } = run.options;
  const password = login.unixPassword ?? run.password();
  if (password === undefined || rotated?.has(rememberedAs(target))) return [];
  return passwords.map((user) => ({ user, password }));
}
