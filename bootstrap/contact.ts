import { setTimeout as sleep } from "node:timers/promises";
import { BootstrapFault, faultOf } from "./fault.ts";
import type { HostKey } from "./hostKey.ts";
import { type PinOptions, pinsOf } from "./pins.ts";
import { type ConnectOptions, connect, type Offer, type Session, shownHostKey } from "./ssh.ts";
import { differs } from "./sshFault.ts";
import type { Target } from "./target.ts";

export interface ContactOptions extends Omit<PinOptions, "look"> {
  readonly keys: readonly Offer[];
  /** Lets only so many connect at a time. */
  readonly gate: <T>(act: () => Promise<T>) => Promise<T>;
  /** Told the keys by which the machine is known, once it has proven itself with one of them. */
  readonly onPinned?: ((target: Target, keys: readonly HostKey[]) => void) | undefined;
  /** Milliseconds for one connection. */
  readonly patience?: number | undefined;
}

/** A new machine lets nobody in until its user has been made: for so long a refused key may still become a good one. */
const graceForKeys = 20_000;

/** A session with a machine that has proven itself, as soon as it can be had. Rejects with BootstrapFault. */
export async function contact(target: Target, options: ContactOptions): Promise<Session> {
  const { stop, patience } = options;
  const look = () => again(options, () => shownHostKey(target, stop));
  const pins = await pinsOf(target, { ...options, look });
  const { host, port, user } = target;
  const wanted: ConnectOptions = { host, port, user, hostKeys: pins.keys, keys: options.keys, stop, patience };
  const session = await again(tolerant(target, options), () => tryOnce(target, wanted));
  options.onPinned?.(target, pins.keys);
  return session;
}

type Retry = Pick<ContactOptions, "gate" | "tell" | "deadline" | "pace" | "stop"> & {
  readonly passes?: (fault: BootstrapFault) => boolean;
};

function tolerant(target: Target, options: ContactOptions): Retry {
  let first: number | undefined;
  const passes = ({ code }: BootstrapFault) => {
    if (!target.instance || !/^ssh_(key_refused|no_method)$/.test(code)) return false;
    first ??= performance.now();
    return performance.now() < first + graceForKeys;
  };
  return { ...options, passes };
}

/** Tries until it succeeds, fails for good, or the time is up; then the last reason is thrown. */
async function again<T>(options: Retry, act: () => Promise<T>): Promise<T> {
  const { gate, tell, deadline, stop, passes } = options;
  for (let pause = options.pace; ; pause = Math.min(pause * 1.6, 5000)) {
    try {
      return await gate(act);
    } catch (error) {
      const fault = faultOf(error);
      const mayPass = fault.passing || passes?.(fault);
      if (!mayPass || stop.aborted || performance.now() + pause > deadline) throw fault;
      tell(fault.message);
      await sleep(pause, undefined, { signal: stop }).catch(() => {});
    }
  }
}

/** A host that has only other kinds of keys is not even asked to show one: for the person's sake it is, here. */
async function tryOnce(target: Target, wanted: ConnectOptions): Promise<Session> {
  try {
    return await connect(wanted);
  } catch (error) {
    if (!(error instanceof BootstrapFault) || error.code !== "host_key_differs") throw error;
    if (/it shows SHA256:/.test(error.message)) throw error;
    const shown = await shownHostKey(target, wanted.stop).catch(() => undefined);
    throw differs({ address: target, hostKeys: wanted.hostKeys, shown }, error);
  }
}
