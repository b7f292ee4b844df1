import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Bus } from "../bus/bus.ts";
import type { RouterRegister, RouterStart } from "../bus/messages/router.ts";
import { subjects } from "../bus/subjects.ts";
import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { endpointOf } from "./endpoint.ts";
import type { Regrouped } from "./pools.ts";
import type { Routes } from "./routes.ts";
import type { Outcome } from "./table.ts";

export interface ListenerOptions {
  bus: Bus;
  routes: Routes;
  uuid: string;
  /** Told to senders as the router's address. */
  address: string;
  beat: number;
  /** Whether there is an authority to check the certificates of those with who speak TLS. */
  secure: boolean;
  log: Log;
  onChange: (changed: Regrouped) => void;
}

/** The router's ear and mouth on the bus: takes registrations, asks for them, forgets what is no longer repeated. */
export interface Listener {
  readonly runner: Runner;
  /** Forgets what had no news for its time. Does nothing while the bus is away: then silence means nothing. */
  prune(): void;
  /** Asks everybody to register everything now. */
  hello(): void;
  /** When a message last reached the table. */
  readonly lastUpdate: number;
}

const noAuthority = "it wants TLS, and this router knows no authority to check certificates with";

// Beats for which a name without endpoints is still known: until then it answers "not running" instead of "unknown".
const grace = 30;

export function listener(options: ListenerOptions): Listener {
  const { bus, routes, beat, secure, log, onChange } = options;
  const ipOf = resolver(30 * beat);
  let lastUpdate = Date.now();
  const hello = () => bus.publish(subjects.routerStart, startMessage(options));
  const follow = (outcome: Outcome, host: string) => {
    if (outcome.refused.length > 0)
      log.warn({ host, uris: outcome.refused.slice(0, 5) }, "these uris are no routes; a route is host[/path]");
    const changed = routes.follow(outcome, Date.now());
    if (changed) onChange(changed);
  };
  const register = async (message: RouterRegister) => {
    const { host, port, uris } = message;
    const known = ipOf(host);
    const endpoint = endpointOf(message, typeof known === "string" ? known : await known, beat);
    const unheard = typeof endpoint !== "string" && endpoint.san !== undefined && !secure;
    lastUpdate = Date.now();
    if (typeof endpoint === "string") log.warn({ host, port, reason: endpoint }, "a registration is refused");
    else if (unheard) log.warn({ host, port, reason: noAuthority }, "a registration is refused");
    else follow(routes.table.register(endpoint, uris, lastUpdate), host);
  };
  const unregister = (message: RouterRegister) => {
    lastUpdate = Date.now();
    follow({ ...routes.table.unregister(message, lastUpdate), refused: [] }, message.host);
  };
  const connection = (connected: boolean) => {
    if (!connected) return log.warn({}, "the bus is away: routes stay as they are until it is back");
    routes.table.freshen(Date.now());
    hello();
  };
  return {
    hello,
    prune: () => bus.connected && follow(routes.table.prune(Date.now(), grace * beat), ""),
    get lastUpdate() {
      return lastUpdate;
    },
    runner: {
      name: "registrations",
      async run(stop, ready) {
        const heard = [
          bus.subscribe(subjects.routerRegister, register),
          bus.subscribe(subjects.routerUnregister, unregister),
          bus.subscribe(subjects.routerGreet, (_nothing, message) => message.reply(startMessage(options))),
        ];
        const unwatch = bus.onConnection(connection);
        hello();
        // What was remembered may be out of date: those who are there get a moment to say so before anybody is served.
        if (bus.connected) await Promise.race([bus.flush().then(() => sleep(beat / 4, stop)), stopped(stop)]);
        ready();
        await stopped(stop);
        unwatch();
        for (const one of heard) one.stop();
      },
    },
  };
}

function startMessage({ uuid, address, beat }: ListenerOptions): RouterStart {
  return {
    id: uuid,
    hosts: [address],
    version: 0.98,
    minimumRegisterIntervalInSeconds: Math.max(1, Math.round((20 * beat) / 1000)),
    pruneThresholdInSeconds: Math.max(1, Math.round((120 * beat) / 1000)),
  };
}

/** Host → IP: at once for an address or a name that was looked up lately. What cannot be found stays as it is. */
function resolver(ms: number): (host: string) => string | Promise<string> {
  const known = new Map<string, { ip: string; until: number }>();
  return (host) => {
    if (isIP(host)) return host;
    const one = known.get(host);
    if (one && Date.now() < one.until) return one.ip;
    return lookup(host).then(
      ({ address }) => {
        known.set(host, { ip: address, until: Date.now() + ms });
        return address;
      },
      () => host,
    );
  };
}
