import { at } from "../../bus/subject.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Engine } from "../engine.ts";
import type { App, Process } from "../records.ts";
import { components } from "./components.ts";
import { instances } from "./instances.ts";
import { patience } from "./options.ts";
import type { Parts } from "./parts.ts";
import { urisOf } from "./uris.ts";

/** The engine as the API sees it. */
export function face(parts: Parts): Engine {
  const { bus, beat, log, voice, convergence, rolls } = parts;
  return {
    stage: parts.staging.stage,
    converge: ({ guid }) => convergence.converge(guid),
    stop: async ({ guid }) => convergence.stop(guid),
    stopInstance: async (process, index) => stopInstance(parts, process, index),
    routesChanged: async (app) => routesChanged(parts, app),
    async roll({ guid }) {
      rolls.turn(guid).catch((error: unknown) => log.error({ err: error, deployment: guid }, "a roll stumbled"));
    },
    instances: instances(parts),
    running: parts.running,
    logs: parts.ring.read,
    log: voice.line,
    async trace(app) {
      const answer = await bus.request(at(subjects.trace, { app }), {}, { timeout: patience(beat) });
      return answer?.messages ?? [];
    },
    audit: voice.audit,
    nodes: () => parts.nodes.views(parts.attention.now()),
    components: components({ bus, beat }),
  };
}

function stopInstance({ bus, voice }: Parts, { guid, version }: Process, index: number): void {
  bus.publish(subjects.deaStop, { droplet: guid, version, indices: [index] });
  voice.updated(guid);
}

function routesChanged({ bus, tables, voice }: Parts, app: App): void {
  for (const one of tables.processes.all().filter((process) => process.app === app.guid)) {
    const uris = urisOf(tables, app, one);
    bus.publish(subjects.deaUpdate, { droplet: one.guid, uris, version: one.version, cc_partition: "default" });
    voice.updated(one.guid);
  }
}
