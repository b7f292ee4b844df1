import type { HeartbeatEntry } from "../bus/messages/instance.ts";
import { type Payload, type Said, type Sentences, short } from "./sentences.ts";

// Old entries go first; what was forgotten is at worst told once more.
const limit = 20_000;

/** A map that holds only so many keys. */
function remembered<V>(): Map<string, V> & { put(key: string, value: V): void } {
  const map = new Map<string, V>();
  const put = (key: string, value: V) => {
    map.delete(key);
    map.set(key, value);
    for (const oldest of map.size > limit ? [map.keys().next().value] : [])
      if (oldest !== undefined) map.delete(oldest);
  };
  return Object.assign(map, { put });
}

/** Messages that are repeated on a timer are told when they say something new. */
export function softState(): Sentences {
  const instances = remembered<Map<string, HeartbeatEntry>>();
  const adverts = remembered<string>();
  const routes = remembered<string>();
  return {
    deaHeartbeat({ dea, droplets }) {
      const before = instances.get(dea) ?? new Map<string, HeartbeatEntry>();
      const now = new Map(droplets.map((entry) => [entry.instance, entry]));
      instances.put(dea, now);
      const changed = droplets.filter((entry) => before.get(entry.instance)?.state !== entry.state);
      const gone = [...before.values()].filter(({ instance }) => !now.has(instance));
      return held(dea, { changed, gone });
    },
    deaAdvertise({ id, app_id_to_count }) {
      const counts = Object.entries(app_id_to_count).filter(([, count]) => count > 0);
      const text = JSON.stringify(counts);
      const before = adverts.get(id);
      adverts.put(id, text);
      if (before === undefined || before === text) return undefined;
      const ids = [...new Set([...counts, ...(JSON.parse(before) as [string, number][])].map(([app]) => app))];
      return { ids, from: id, what: `DEA ${short(id)} advertises that it holds ${counts.length} apps now` };
    },
    routerRegister(route) {
      const text = names(route);
      if (routes.get(place(route)) === text) return undefined;
      routes.put(place(route), text);
      return said(route, "registers");
    },
    routerUnregister(route) {
      routes.delete(place(route));
      return said(route, "unregisters");
    },
  };
}

function held(dea: string, { changed, gone }: { changed: HeartbeatEntry[]; gone: HeartbeatEntry[] }): Said | undefined {
  if (changed.length + gone.length === 0) return undefined;
  const parts = [
    ...changed.map(({ index, state }) => `instance ${index} is ${state}`),
    ...gone.map(({ index }) => `instance ${index} is gone`),
  ];
  const ids = [...changed, ...gone].map(({ droplet }) => droplet);
  return {
    ids: [...new Set(ids)],
    from: dea,
    what: `DEA ${short(dea)} tells the health managers: ${parts.join(", ")}`,
  };
}

type Route = Payload<"routerRegister">;
const place = ({ host, port }: Route) => `${host}:${port}`;
const names = ({ uris }: Route) => uris.join(", ");

function said(route: Route, verb: string): Said {
  const { app, dea, tags } = route;
  const who = dea ? `DEA ${short(dea)}` : tags["component"] === "CloudController" ? "controller" : "a registrar";
  const ids = [app, tags["process_id"]].filter((id): id is string => id !== undefined);
  const from = dea === undefined ? {} : { from: dea };
  return { ids, ...from, what: `${who} ${verb} ${names(route) || "nothing"} → ${place(route)}` };
}
