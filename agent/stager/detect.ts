import { Fault } from "../run/fault.ts";
import type { Framework, Plan, Source } from "./framework.ts";
import { nodejs } from "./frameworks/nodejs.ts";
import { procfile } from "./frameworks/procfile.ts";
import { python } from "./frameworks/python.ts";
import { staticSite } from "./frameworks/static.ts";
import { parseProcfile } from "./procfile.ts";

/** In this order: of several that recognise a source, the first that knows how to start it is taken. */
const frameworks: readonly Framework[] = [nodejs, python, staticSite, procfile];

export interface Wishes {
  /** A framework asked for by name; empty: detect. */
  framework?: string | undefined;
  /** A command for the web process that overrides every other. */
  command?: string | undefined;
}

export interface Detected {
  framework: string;
  /** Why this framework, for the person. */
  reason: string;
  plan: Plan;
  /** Command of the web process; undefined when the app has only others. */
  start: string | undefined;
  /** Process type → command, the web process included. */
  processTypes: Record<string, string>;
}

/** What a source is and how to build and start it. Throws Fault when it cannot be told, with what to put there. */
export function detect(source: Source, wishes: Wishes = {}): Detected {
  if (source.names.length === 0) throw new Fault("there is not one file in the app", { code: "nothing_there" });
  const found = wishes.framework ? [named(wishes.framework)] : recognised(source);
  const plans = found.map(({ framework, reason }) =>
    resolve({ framework, reason, plan: framework.plan(source) }, source, wishes),
  );
  const [first] = plans;
  if (!first) throw unknown(source);
  const startable = plans.find((one) => Object.keys(one.processTypes).length > 0);
  if (startable) return startable;
  const message = `${first.reason}, but nothing says how to start it`;
  throw new Fault(message, { code: "no_start_command", hint: first.plan.missing });
}

interface Found {
  framework: Framework;
  reason: string;
}

function named(wish: string): Found {
  const name = wish.toLowerCase();
  const framework = frameworks.find((one) => one.name === name || one.aliases.includes(name));
  if (framework) return { framework, reason: `${wish} was asked for` };
  const known = frameworks.map((one) => one.name).join(", ");
  throw new Fault(`there is no framework ${wish}`, {
    code: "unknown_framework",
    hint: `known: ${known}; none: detect it`,
  });
}

function recognised(source: Source): Found[] {
  return frameworks.flatMap((framework) => {
    const reason = framework.recognise(source);
    return reason ? [{ framework, reason }] : [];
  });
}

function resolve({ framework, reason, plan }: Found & { plan: Plan }, source: Source, wishes: Wishes): Detected {
  const types = parseProcfile(source.read("Procfile"));
  const start = wishes.command || types["web"] || plan.start;
  const processTypes = start ? { ...types, web: start } : types;
  return { framework: framework.name, reason, plan, start, processTypes };
}

function unknown(source: Source): Fault {
  const tops = new Set(source.names.map((name) => name.split("/")[0]));
  const inside = tops.size === 1 && source.names.every((name) => name.includes("/"));
  const lone = inside ? `; everything is inside ${[...tops][0]}/: push that directory` : "";
  const hint = `put a package.json, requirements.txt, pyproject.toml, index.html or Procfile there${lone}`;
  return new Fault("cannot tell what this is", { code: "undetected", hint });
}
