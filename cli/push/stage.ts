import type { Api } from "../api.ts";
import { frameworkOf } from "../app.ts";
import { Fault } from "../fault.ts";
import { marks } from "../flow.ts";
import { type Follower, follower, type Line } from "../logcache.ts";
import { poll } from "../poll.ts";
import type { App, Build, Droplet, Package } from "../resources.ts";
import { plain } from "../show.ts";
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
  const lines = follower(api, app, BigInt(began - 5_000) * 1_000_000n);
  const old = new Set((await lines.next().catch(() => [])).map(key));
  const build = await begin({ api, app, package: bits, steps });
  const heard: Line[] = [];
  const clock = clockOf(began, steps);
  const listen = async () => {
    const fresh = (await staging(lines)).filter((line) => !old.has(key(line)));
    heard.push(...fresh);
    clock.heard(fresh);
    for (const line of fresh) if (tail) steps.line(`     | ${plain(line.text)}`);
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

const key = ({ at, text }: Line) => `${at} ${text}`;

/** Times the three steps of a staging by the stager's own lines, on this machine's clock. */
function clockOf(began: number, steps: Steps) {
  const heard: Line[] = [];
  // How far their clock is from ours is at most what the quickest line took to get here.
  let skew = Number.POSITIVE_INFINITY;
  let said = began;
  const say = (name: string, until: number, detail?: string) => {
    const at = Math.max(said, until);
    steps.add(name, at - said, detail);
    said = at;
  };
  const moment = (step: number) => {
    const mark = marks([], heard).find((each) => each.step === step);
    return mark && mark.at + skew;
  };
  let framework = false;
  return {
    heard(fresh: readonly Line[]) {
      heard.push(...fresh);
      for (const line of fresh) skew = Math.min(skew, Date.now() - Number(line.at / 1_000_000n));
      const detected = moment(2);
      if (framework || detected === undefined) return;
      framework = true;
      const line = heard.find((each) => /^Framework:/.test(each.text));
      say("framework detection", detected, plain(line?.text.replace(/^Framework: /, "") ?? ""));
    },
    through(name: string | undefined, now: number) {
      if (!framework) say("framework detection", said, name);
      say("staging", Math.min(now, moment(4) ?? now), name);
      const packed = heard.find((each) => /^Packed the droplet/.test(each.text));
      say("droplet creation", now, packed && /: (.*) in /.exec(packed.text)?.[1]);
    },
  };
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
