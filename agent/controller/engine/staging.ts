import { randomUUID } from "node:crypto";
import type { StagingResult } from "../../bus/messages/staging.ts";
import { at } from "../../bus/subject.ts";
import { subjects } from "../../bus/subjects.ts";
import type { App, Build, Droplet, Package } from "../records.ts";
import { type EngineOptions, patience } from "./options.ts";
import { abandon, fail, repair, succeed } from "./staged.ts";
import { stagingRequest, taskOf } from "./stagingRequest.ts";
import { failureText } from "./stagingResult.ts";
import { stagingLimit, type Watch, watch } from "./stagingWatch.ts";
import type { Voice } from "./voice.ts";

export interface StagingOptions extends EngineOptions {
  voice: Voice;
  life: () => AbortSignal;
}

export interface Staging {
  stage(build: Build, pkg: Package, app: App): Promise<void>;
  /** A droplet came in: its result should follow. */
  uploaded(droplet: Droplet): void;
  /** Listens again for the answers to builds that were under way when a controller went, and ends those too old. */
  resume(): Promise<void>;
}

/** Beats after which a build that no stager was ever asked for is one whose controller went in between. */
const beginning = 10;
/** Beats after which an outcome that is half written is one whose controller went in between. */
const settling = 3;

export function staging(options: StagingOptions): Staging {
  const { bus, tables, keys, url, voice, beat } = options;
  const watches = new Map<string, Watch>();
  const outcome = (build: Build, result: StagingResult | string) =>
    settle(options, build, result).catch((error: unknown) =>
      options.log.error({ err: error, build: build.guid }, "the outcome of a staging could not be written"),
    );
  const follow = (build: Build, age: number) => {
    if (watches.has(build.guid)) return;
    const one = watch({ ...options, build, age }, (result) => {
      watches.delete(build.guid);
      if (result !== undefined) outcome(build, result);
    });
    watches.set(build.guid, one);
  };
  return {
    async stage(build, pkg, app) {
      const droplet = await tables.droplets.insert(blankDroplet(build, pkg));
      const begun = await tables.builds.update(build.guid, (one) => ({ ...one, droplet: droplet.guid }));
      const web = tables.processes.all().find((one) => one.app === app.guid && one.type === "web");
      const facts = {
        build: begun,
        pkg,
        app,
        web,
        droplet: droplet.guid,
        base: url(),
        key: keys.urls,
        now: Date.now(),
      };
      const request = stagingRequest(facts);
      // Subscribed before the request leaves: a quick stager's answer must not be lost.
      follow(begun, 0);
      bus.publish(at(subjects.stager, { queue: "staging" }), request, { reply: request.notify_subj });
      voice.system("STAGE_APP", app.name, "STARTED");
    },
    uploaded: (droplet) => void watches.get(droplet.build ?? "")?.uploaded(),
    async resume() {
      for (const build of tables.builds.all()) {
        if (build.state !== "STAGING") continue;
        const droplet = build.droplet ? tables.droplets.get(build.droplet) : undefined;
        const age = since(build.created_at);
        if (droplet && droplet.state !== "AWAITING_UPLOAD") {
          if (since(droplet.updated_at) > settling * patience(beat)) await repair(tables, build, droplet);
        } else if (age >= stagingLimit * beat) await abandon(tables, build, tooOld);
        else if (droplet) follow(build, age);
        else if (age > beginning * patience(beat)) await abandon(tables, build, neverBegun);
      }
    },
  };
}

const since = (time: string) => Date.now() - Date.parse(time);

const tooOld = "StagerFail/StagingTimeoutError: the staging was given up; push again";
const neverBegun = "StagerFail/TaskError: the controller was restarted before a stager was asked; push again";

async function settle(
  { tables, voice, log }: StagingOptions,
  build: Build,
  result: StagingResult | string,
): Promise<void> {
  const name = tables.apps.get(build.app)?.name ?? build.app;
  const error = typeof result === "string" ? result : await failureIn(tables, build, result);
  if (error === undefined && typeof result !== "string") {
    if (await succeed(tables, build, result)) voice.system("STAGE_APP", name, "SUCCEEDED");
    return;
  }
  if (!error || !(await fail(tables, build, error))) return;
  voice.line(build.app, error.split("\n")[0] ?? error);
  voice.system("STAGE_APP", name, "FAILED");
  log.warn({ build: build.guid, task: taskOf(build) }, "a staging failed");
}

/** What is wrong with an answer; undefined when its droplet is really there. */
async function failureIn(tables: EngineOptions["tables"], build: Build, result: StagingResult) {
  if (result.error) return failureText(result.error, result.task_log);
  // As it stands in the store: the answer may be faster than the news of an upload to another controller.
  const droplet = build.droplet ? await tables.droplets.update(build.droplet, () => undefined) : undefined;
  if (!droplet?.sha1) return failureText("the stager reported success but sent no droplet", result.task_log);
  if (result.droplet_sha1 && result.droplet_sha1 !== droplet.sha1)
    return failureText("the droplet that arrived is not the one the stager made", result.task_log);
  return undefined;
}

function blankDroplet(build: Build, pkg: Package): Droplet {
  const created_at = new Date().toISOString();
  return {
    guid: randomUUID(),
    created_at,
    updated_at: created_at,
    app: build.app,
    package: pkg.guid,
    build: build.guid,
    state: "AWAITING_UPLOAD",
    size: 0,
    stack: build.stack,
    process_types: {},
    execution_metadata: "",
    metadata: { labels: {}, annotations: {} },
  };
}
