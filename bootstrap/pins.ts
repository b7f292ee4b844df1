import { setTimeout as sleep } from "node:timers/promises";
import { bootIsOver, keysOnConsole } from "./consoleKeys.ts";
import { BootstrapFault } from "./fault.ts";
import { describe, type HostKey, sameKey } from "./hostKey.ts";
import { lookUp, nameOf } from "./knownHosts.ts";
import { revoked } from "./sshFault.ts";
import { rememberedAs, type Target } from "./target.ts";

export interface PinOptions {
  /** Text in the format of OpenSSH's known hosts. */
  readonly knownHosts: string;
  /** What a machine has printed; "" as long as there is nothing. */
  readonly console?: ((target: Target) => Promise<string>) | undefined;
  /** Asks a person whether the key that a machine shows is the right one. */
  readonly ask?: ((target: Target, shown: HostKey) => Promise<boolean>) | undefined;
  /** The key that the machine shows. */
  readonly look: () => Promise<HostKey>;
  readonly tell: (why: string) => void;
  /** Milliseconds, as performance.now() counts them. */
  readonly deadline: number;
  /** Milliseconds between two looks at the console, at first. */
  readonly pace: number;
  readonly stop: AbortSignal;
}

export interface Pins {
  readonly keys: readonly HostKey[];
  readonly from: "known hosts" | "console" | "you";
}

/**
 * The keys by which a machine is known: from known hosts, else from its console, else by asking. Never by believing what it
 * shows: without any of these it rejects with `host_key_unknown`.
 */
export async function pinsOf(target: Target, options: PinOptions): Promise<Pins> {
  const { knownHosts, look, ask } = options;
  const known = lookUp(knownHosts, [rememberedAs(target), nameOf(target.host, target.port)]);
  const good = (key: HostKey) => !known.revoked.some((bad) => sameKey(bad, key));
  if (known.keys.length > 0) return { keys: known.keys, from: "known hosts" };
  const printed = await fromConsole(target, options);
  const keys = printed.keys.filter(good);
  if (keys.length > 0) return { keys, from: "console" };
  const shown = await look();
  if (!good(shown)) throw revoked({ address: target, shown });
  if (await ask?.(target, shown)) return { keys: [shown], from: "you" };
  throw new BootstrapFault(unknown(target, shown, printed.why), {
    code: "host_key_unknown",
    hint: ask
      ? "compare it with the machine's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
      : "give the file that has it: --known-hosts ~/.ssh/known_hosts; or run this at a terminal, to be asked",
  });
}

function unknown(target: Target, shown: HostKey, why: string): string {
  return `nobody has told the host key of ${target.host}${why && ` (${why})`}; it shows ${describe(shown)}`;
}

async function fromConsole(target: Target, options: PinOptions): Promise<{ keys: HostKey[]; why: string }> {
  const { console, tell, deadline, stop } = options;
  if (!console || !target.instance) return { keys: [], why: "" };
  for (let pause = options.pace; ; pause = Math.min(pause * 1.5, 5000)) {
    let text: string;
    try {
      text = await console(target);
    } catch (error) {
      return { keys: [], why: `its console cannot be read: ${(error as Error).message}` };
    }
    const keys = keysOnConsole(text);
    if (keys.length > 0) return { keys, why: "" };
    if (bootIsOver(text)) return { keys, why: "its console has no host keys" };
    const why = text ? "no host keys on the console yet" : "no console yet";
    if (performance.now() + pause > deadline) return { keys, why };
    tell(why);
    await sleep(pause, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) return { keys, why: "stopped" };
  }
}
