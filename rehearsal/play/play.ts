import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../agent/run/fault.ts";
import type { Log } from "../../agent/run/log.ts";
import { start } from "../../agent/run/runner.ts";
import type { ClusterSpec } from "../../roles/spec.ts";
import { ec2Api } from "../ec2Api.ts";
import { type RehearsedGround, rehearsedGround } from "../ground.ts";
import { type Clock, clock } from "./clock.ts";
import { type Typing, type } from "./commands.ts";
import { makeKey } from "./key.ts";
import { nameHosts } from "./names.ts";
import { standAt } from "./operator.ts";
import type { RehearsalPlan, Stage, StageNode, Word } from "./words.ts";

export interface PlayOptions {
  readonly plan: RehearsalPlan;
  readonly spec: ClusterSpec;
  readonly say: (word: Word) => void;
  readonly log: Log;
  readonly stop: AbortSignal;
}

/** Everything that stands while the play goes on. */
interface Scene extends PlayOptions {
  readonly clock: Clock;
  readonly ground: RehearsedGround;
  readonly typing: Typing;
  /** Path of the ssh key, the secret half. */
  readonly key: string;
}

/**
 * The whole line in one closed room: the EC2 API, `tutti up`, machines that boot, `tutti bootstrap`, `tutti push`, and a
 * request from outside. All that a person would type is typed. Tells the stage when the app has answered, then waits
 * for `stop` if the plan says so, and takes everything down.
 */
export async function play(options: PlayOptions): Promise<void> {
  const { plan, spec, log, stop } = options;
  const time = clock(options.say);
  const api = ec2Api({ log, console: join(plan.folder, "machines") });
  const serving = start(api.runner);
  try {
    await time.step("EC2 API", () => Promise.race([serving.ready, failing(stop)]));
    const ground = rehearsedGround({
      url: api.url,
      region: spec.aws?.region,
      folder: join(plan.folder, "machines"),
      image: plan.image,
      log,
    });
    const standing = start(ground.runner);
    try {
      await Promise.race([standing.ready, standing.exited, failing(stop)]);
      const scene = { ...options, ...furnish(options, api.url), clock: time, ground };
      await Promise.race([perform(scene), standing.exited.then(groundGone)]);
    } finally {
      await standing.stop();
    }
  } finally {
    await serving.stop();
  }
}

const groundGone = () => {
  throw new Fault("the machines' ground has ended by itself", { code: "ground_gone", hint: "see rehearsal.log" });
};

const failing = (stop: AbortSignal): Promise<never> =>
  new Promise((_, reject) => stop.addEventListener("abort", () => reject(stop.reason), { once: true }));

/** A person's home in the room: the API's address, as `tutti offline up` would have left it, a key and a password. */
function furnish({ plan, say, stop, spec }: PlayOptions, url: string): Pick<Scene, "typing" | "key"> {
  const home = join(plan.folder, "home");
  mkdirSync(join(home, "offline"), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, "offline", "ground.json"), JSON.stringify({ pid: process.pid, url, boots: true }));
  const key = makeKey(plan.folder);
  const env = {
    ...process.env,
    TUTTI_HOME: home,
    TUTTI_BUNDLE: plan.bundle,
    TUTTI_SSH_KEY: key.open,
    STACKATO_EMAIL: plan.email,
    // The room's own, and gone with it: a person who keeps it finds it in the login of this home.
    STACKATO_PASSWORD: randomBytes(18).toString("base64url"),
    AWS_ACCESS_KEY_ID: "rehearsal",
    AWS_SECRET_ACCESS_KEY: "rehearsal",
    AWS_REGION: spec.aws?.region,
    AWS_ENDPOINT_URL: url,
  };
  return { key: key.secret, typing: { env, stop, onNote: (line) => say({ kind: "note", line }) } };
}

async function perform(scene: Scene): Promise<void> {
  const { plan, spec, clock, say, stop, typing, key } = scene;
  const boots = watchMachines(scene);
  await standAt(spec.aws?.ssh?.from ?? []);
  const nodes = await clock.step("pulumi up", async () =>
    nodesOf(await type(["up", plan.spec, "--offline", "--yes"], typing)),
  );
  const router = nodes.find(({ roles }) => roles.includes("router"))?.publicAddress ?? "";
  const [api, app] = [`api.${spec.domain}`, `hello.${spec.domain}`];
  await nameHosts(plan.folder, router, [spec.domain, api, app]);
  await clock.step("tutti bootstrap", () => type(["bootstrap", plan.spec, "--offline", "--identity", key], typing));
  await clock.step("tutti push", () => type(["push", "hello", "--path", plan.app], typing));
  const url = `http://${app}${spec.ports.router === 80 ? "" : `:${spec.ports.router}`}/`;
  const status = await clock.step("first request", () => firstAnswer(url, stop), String);
  const stage: Stage = {
    url,
    api: url.replace(app, api),
    status,
    email: plan.email,
    nodes: nodes.map((node) => ({ ...node, bootSeconds: boots.get(node.instance) })),
  };
  say({ kind: "stage", stage });
  if (plan.keep) await failing(stop).catch(() => {});
}

function nodesOf(answer: Record<string, unknown>): StageNode[] {
  return (answer["nodes"] as StageNode[] | undefined) ?? [];
}

/**
 * Tells what becomes of the machines, by the names that people know, and takes the time of their boots → seconds by
 * instance. Bootstrap waits for them, as it would on EC2.
 */
function watchMachines({ ground, clock }: Scene): ReadonlyMap<string, number> {
  const began = performance.now();
  const seen = new Map<string, number>();
  const boots = new Map<string, number>();
  ground.onEvent(({ id, at, kind, detail }) => {
    if (kind === "seen") return seen.set(id, at);
    if (kind === "finished" && !boots.has(id)) boots.set(id, (at - (seen.get(id) ?? at)) / 1000);
    const name = ground.machines().find((one) => one.id === id)?.tags["tutti:node"] ?? id;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    clock.note(`${name} ${kind}${detail ? `: ${detail}` : ""} (${seconds} s)`);
  });
  return boots;
}

/** A route takes a moment to the router; whatever else comes is told as it is. */
async function firstAnswer(url: string, stop: AbortSignal): Promise<number> {
  for (let turn = 0; ; turn++) {
    const answer = await fetch(url, { signal: stop });
    await answer.arrayBuffer();
    if (answer.status === 200 || turn > 100) return answer.status;
    await sleep(100);
  }
}
