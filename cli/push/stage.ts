import type { Api } from "../api.ts";
import { frameworkOf } from "../app.ts";
import { Fault } from "../fault.ts";
import { type Follower, follower, type Line, nextLine } from "../logcache.ts";
import { poll } from "../poll.ts";
import type { App, Build, Droplet, Package } from "../resources.ts";
import { plain } from "../show.ts";
import { clockOf } from "./stagingClock.ts";
import type { Steps } from "./steps.ts";

export interface Staging {
  api: Api;
  app: App;
  package: Package;
  steps: Steps;
  /** Shows what staging says. */
  tail: boolean;
}

/** A little longer than any cluster lets a staging take. */
const limit = 20 * 60_000;

/** Has the package built and resolves to the droplet; its steps are said as they are seen to be through. */
export async function stage({ api, app, package: bits, steps, tail }: Staging): Promise<Droplet> {
  const began = Date.now();
  const lines = follower(api, app, await nextLine(api, app));
  const build = await begin({ api, app, package: bits, steps });
  const heard: Line[] = [];
  const clock = clockOf(began, steps);
  const listen = async () => {
    const fresh = await staging(lines);
    heard.push(...fresh);
    for (const line of fresh) {
      if (tail) steps.line(`     | ${plain(line.text)}`);
      clock.heard(line);
    }
  };
  const done = await poll(async () => {
    const one = await api.get<Build>(`/v3/builds/${build.guid}`);
    await listen();
    if (one.state === "STAGING") steps.progress(`staging … ${heard.at(-1)?.text ?? ""}`);
    return one.state === "STAGING" ? undefined : one;
  }, limit);
  if (done?.state !== "STAGED" || !done.droplet) throw failed({ app, error: done?.error, heard, tail });
  const droplet = await api.get<Droplet>(`/v3/droplets/${done.droplet.guid}`);
  clock.through(frameworkOf(droplet), Date.now());
  return droplet;
}

/** An app is built once at a time: what a push before this one began, and maybe left, is waited for. */
async function begin({ api, package: bits, steps }: Omit<Staging, "tail">): Promise<Build> {
  let said = false;
  const build = await poll(async () => {
    try {
      return await api.post<Build>("/v3/builds", { package: { guid: bits.guid } });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "staging_in_progress") throw error;
      if (!said) steps.line("     waiting for the staging of an earlier push …");
      said = true;
      return undefined;
    }
  }, limit);
  if (build) return build;
  throw new Fault("an earlier staging of this app does not end", { code: "staging_failed", hint: "tutti status" });
}

/** The log is worth having, but a staging does not fail for it. */
async function staging(lines: Follower): Promise<Line[]> {
  const found = await lines.next().catch((): Line[] => []);
  return found.filter((line) => line.source === "STG");
}

interface Failure {
  app: App;
  error: string | null | undefined;
  heard: readonly Line[];
  tail: boolean;
}

function failed({ app, error, heard, tail }: Failure): Fault {
  // The first line is the reason; the rest repeats the output that was shown already.
  const [first = "it does not say why", ...more] = (error ?? "it took longer than 20 minutes").split("\n");
  const reason = first.replace(/^StagerFail\/\w+: /, "");
  const last = more.length && !(tail && heard.length) ? `; ${more.slice(-1)[0]}` : "";
  const next = app.state === "STARTED" ? "the version that runs goes on; " : "";
  return new Fault(`staging failed: ${reason}${last}`, {
    code: "staging_failed",
    hint: `${next}mend it and push again (all output: tutti logs ${app.name} --recent)`,
  });
}
