import { subjects } from "../../bus/subjects.ts";
import type { Runner } from "../../run/runner.ts";
import { sleep } from "../../run/sleep.ts";
import type { EngineOptions } from "./options.ts";

/**
 * Keeps `api.<domain>` routed to this controller: at once when a router or the bus comes back, else as often as the most
 * demanding router wants (every 20 beats when none has said); gone when the controller stops.
 */
export function ownRoute(options: Pick<EngineOptions, "bus" | "beat" | "address" | "domain" | "url" | "tls">): Runner {
  const { bus, beat } = options;
  return {
    name: "own route",
    async run(stop, ready) {
      const route = routeOf(options);
      let interval = 20;
      const register = () => bus.publish(subjects.routerRegister, route);
      const follow = ({ minimumRegisterIntervalInSeconds: wanted }: { minimumRegisterIntervalInSeconds: number }) => {
        if (wanted > 0) interval = Math.min(interval, wanted);
        register();
      };
      const heard = bus.subscribe(subjects.routerStart, follow);
      const unwatch = bus.onConnection((connected) => connected && register());
      register();
      bus.request(subjects.routerGreet, {}, { timeout: 2 * beat }).then(
        (answer) => answer && !stop.aborted && follow(answer),
        () => {},
      );
      ready();
      while (!stop.aborted) {
        await sleep(interval * beat, stop);
        if (!stop.aborted) register();
      }
      heard.stop();
      unwatch();
      bus.publish(subjects.routerUnregister, route);
    },
  };
}

function routeOf({ address, domain, url, tls }: Pick<EngineOptions, "address" | "domain" | "url" | "tls">) {
  const port = Number(new URL(url()).port) || (tls ? 443 : 80);
  // A router that does not know TLS to its backends must not take this for a port that speaks without it.
  const ports = tls ? { port: 0, tls_port: port, server_cert_domain_san: tls.name ?? address } : { port };
  return { host: address, ...ports, uris: [`api.${domain}`], tags: { component: "CloudController" } };
}
