import multipart from "@fastify/multipart";
import type { FastifyInstance } from "fastify";
import { every } from "../../run/every.ts";
import { group } from "../../run/group.ts";
import type { Runner } from "../../run/runner.ts";
import type { Engine } from "../engine.ts";
import { bitsRoutes } from "./bits.ts";
import { bulkCredentials, bulkRoutes } from "./bulk.ts";
import type { Census, Running } from "./census.ts";
import { exits } from "./exits.ts";
import { face } from "./face.ts";
import { files } from "./files.ts";
import { hmRequests } from "./hmRequests.ts";
import { listen } from "./listen.ts";
import { type Membership, membership } from "./membership.ts";
import type { EngineOptions } from "./options.ts";
import { ownRoute } from "./ownRoute.ts";
import { type Parts, parts } from "./parts.ts";

export interface CreatedEngine {
  engine: Engine;
  /** Run it when the HTTP server listens: it announces its address. */
  runner: Runner;
  /** Adds what other components fetch over HTTP: bits, droplets, the bulk interface. They authenticate by themselves. */
  mount(app: FastifyInstance): void;
  /** A file or a listing of an instance, streamed from its DEA. The caller has checked who asks. */
  files: ReturnType<typeof files>;
  /** How many slots of each process run, in one question to the health manager; unknown processes are absent. */
  running: Running;
  /** Who belongs to the cluster. */
  membership: Membership;
  /** Figures for the controller's /varz. */
  varz: Census["varz"];
}

/** Everything of the controller that needs the bus. */
export function createEngine(options: EngineOptions): CreatedEngine {
  let life = new AbortController();
  const made = parts(options, () => life.signal);
  return {
    engine: face(made),
    runner: {
      name: "engine",
      run(stop, ready) {
        life = new AbortController();
        const ended = { stop: () => life.abort() };
        return group("engine", members(made, ended)).run(stop, ready);
      },
    },
    mount: (app) => mount(app, made),
    files: files(made.finder),
    membership: membership(made),
    running: made.running,
    varz: made.census.varz,
  };
}

function members(made: Parts, ended: { stop(): void }): Runner[] {
  const { beat, log, attention, staging, rolls, census } = made;
  // A health manager that comes up with this controller knows nothing yet.
  const begin = Date.now() + 10 * beat;
  const count = () => (Date.now() > begin ? census.count() : undefined);
  const onError = (error: unknown) => log.warn({ err: error }, "a regular turn of the controller failed");
  const others = () => [exits(made), hmRequests(made), bulkCredentials(made), { stop: rolls.follow() }, ended];
  return [
    listen({ ...made, others }),
    every("attention", { interval: beat, onError }, attention.tick),
    ownRoute(made),
    every("stagings", { interval: 5 * beat, onError }, staging.resume),
    every("deployments", { interval: beat, onError }, rolls.turnAll),
    every("census", { interval: 20 * beat, onError }, count),
  ];
}

function mount(app: FastifyInstance, made: Parts): void {
  bulkRoutes(app, made);
  app.register(async (scope) => {
    // The API may have it already; a second time is refused.
    if (!scope.hasRequestDecorator("parts")) await scope.register(multipart);
    bitsRoutes(scope, { ...made, uploading: new Set(), onUploaded: made.staging.uploaded });
  });
}
