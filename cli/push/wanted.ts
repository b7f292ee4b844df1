import { resolve } from "node:path";
import type { AppSpec, HealthCheck, ProcessSpec } from "../appSpec.ts";
import type { Call } from "../call.ts";
import { wrongUsage } from "../fault.ts";
import { assignment, mebibytes } from "../quantity.ts";

/** One app to push: the manifest's words with the command line's over them. */
export interface Wanted extends AppSpec {
  name: string;
  /** Absolute. */
  directory: string;
}

export interface Sources {
  apps: readonly AppSpec[];
  /** Directory that paths of the manifest are relative to. */
  base: string;
  /** Directory the person is in. */
  cwd: string;
}

/** The apps to push. Options that name one app's own things are refused when several are pushed at once. */
export function wanted(call: Call, { apps, base, cwd }: Sources): Wanted[] {
  const name = call.args[0];
  const chosen = choose(apps, name);
  if (chosen.length > 1) oneOnly(call);
  const over = overrides(call);
  return chosen.map((app) => {
    const own = name ?? app.name;
    if (!own) throw wrongUsage("what is the app's name?", "tutti push NAME, or a manifest.yml with a name");
    const path = call.text("path");
    const directory = path ? resolve(cwd, path) : resolve(base, app.path ?? ".");
    const whole = { ...app, ...over, env: { ...app.env, ...over.env }, ...health(app, over), name: own, directory };
    return app.processes ? { ...whole, processes: app.processes.map((each) => overridden(each, over)) } : whole;
  });
}

/** A name picks one of several; the only app of a manifest may be pushed under any name. */
function choose(apps: readonly AppSpec[], name: string | undefined): AppSpec[] {
  if (!name) return apps.length ? [...apps] : [{}];
  const found = apps.find((app) => app.name === name);
  if (found) return [found];
  if (apps.length > 1) {
    const names = apps.map((app) => app.name ?? "?").join(", ");
    throw wrongUsage(`the manifest has no app "${name}"`, `it has: ${names}; --no-manifest leaves it unread`);
  }
  // Another name is another app: the addresses in the manifest stay with the one they were written for.
  const { urls: _urls, hosts: _hosts, ...rest } = apps[0] ?? {};
  return [apps[0]?.name ? rest : (apps[0] ?? {})];
}

function overrides(call: Call): AppSpec {
  const memory = call.text("memory");
  const disk = call.text("disk");
  const host = call.text("hostname");
  const over: AppSpec = {
    memory: memory === undefined ? undefined : mebibytes(memory, "--memory"),
    disk: disk === undefined ? undefined : mebibytes(disk, "--disk"),
    instances: call.whole("instances", { max: 10_000 }),
    command: call.text("command"),
    buildpacks: nonEmpty(call.list("buildpack")),
    env: Object.fromEntries(call.list("env").map((pair) => assignment(pair, "--env"))),
    urls: nonEmpty(call.list("url")),
    hosts: host ? [host] : undefined,
    noRoute: call.off("route") ? true : undefined,
    health: healthOf(call),
  };
  // An address on the command line is instead of those in the manifest, not beside them.
  const addresses = over.urls || over.hosts ? { urls: over.urls, hosts: over.hosts, randomRoute: false } : {};
  const said = Object.entries({ ...over, ...addresses }).filter(
    ([key, value]) => value !== undefined || key in addresses,
  );
  return Object.fromEntries(said);
}

/** The command line is about web, and comes before what the manifest lists for it. */
function overridden(spec: ProcessSpec, { instances, memory, disk, command, health: check }: AppSpec): ProcessSpec {
  if (spec.type !== "web") return spec;
  const said = Object.entries({ instances, memory, disk, command }).filter(([, value]) => value !== undefined);
  return { ...spec, ...Object.fromEntries(said), ...(check && { health: { ...spec.health, ...check } }) };
}

function healthOf(call: Call): HealthCheck | undefined {
  const type = call.text("healthCheckType") as HealthCheck["type"];
  const timeout = call.whole("timeout", { min: 1, max: 3600 });
  if (!type && timeout === undefined) return undefined;
  return { ...(type && { type }), ...(timeout !== undefined && { timeout }) };
}

function health(app: AppSpec, over: AppSpec): { health?: HealthCheck } {
  return app.health || over.health ? { health: { ...app.health, ...over.health } } : {};
}

function nonEmpty(list: readonly string[]): string[] | undefined {
  return list.length ? [...list] : undefined;
}

const single = ["path", "hostname", "command", "memory", "disk", "instances"];

function oneOnly(call: Call): void {
  const given = single.filter((name) => call.text(name) !== undefined);
  if (given.length || call.list("url").length) {
    throw wrongUsage(
      `--${given[0] ?? "url"} is for one app, the manifest has several`,
      "name the one: tutti push APP …",
    );
  }
}
