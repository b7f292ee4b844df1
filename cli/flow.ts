import type { Line } from "./logcache.ts";

/** A message of the bus about an app, as the cluster's recorder saw it. `at` in Unix milliseconds. */
export interface Message {
  at: number;
  subject: string;
  what: string;
  from?: string | undefined;
}

/** The application deployment flow as it was written down in 2012. */
export const flowSteps = [
  "push",
  "framework detection",
  "create app in the cloud controller",
  "framework staging plugin",
  "droplet creation",
  "request DEA for app",
  "an available DEA responds",
  "droplet is deployed to the DEA",
  "DEA starts the app",
  "the router creates a route",
] as const;

/** The moment (Unix milliseconds) at which a step was through, and what tells of it. */
export interface Mark {
  step: number;
  at: number;
  told: string;
}

/** Which step a message ends. */
const bySubject: readonly [RegExp, number][] = [
  [/^vcap\.stager\.|^staging$/, 3],
  [/^dea\.discover$/, 6],
  [/^dea\.(?!find|stop|update|status|locate)[^.]+\.start$/, 7],
  [/^router\.register$/, 10],
];

/** Which step a line of the app's log ends. */
const byLine: readonly [string, RegExp, number][] = [
  ["API", /^Created app/, 3],
  ["STG", /^Framework:/, 2],
  ["STG", /^Packed the droplet/, 4],
  ["STG", /^Uploaded the droplet/, 5],
  ["CELL", /^Droplet .*(deployed|unpacked|in place)/i, 8],
  ["CELL", /^Starting instance/, 8],
  ["CELL", /^Instance \d+ is running/, 9],
];

/** Moments of the flow that messages and log lines tell of, oldest first; of several for a step the first. Pure. */
export function marks(messages: readonly Message[], lines: readonly Line[], since = 0): Mark[] {
  const all = [...messages.flatMap(messageMark), ...lines.flatMap(lineMark)]
    .filter((mark) => mark.at >= since)
    .sort((a, b) => a.at - b.at);
  const steps = new Map<number, Mark>();
  const droplet = (mark: Mark | undefined) => /^Droplet/.test(mark?.told ?? "");
  for (const mark of all) {
    // That the droplet is in place tells more than that an instance is being started; of several instances the first counts.
    const better = mark.step === 8 && droplet(mark) && !droplet(steps.get(8));
    if (better || !steps.has(mark.step)) steps.set(mark.step, mark);
  }
  const [detected, staged] = [steps.get(2), steps.get(4)];
  // The time of packing is rounded: nothing is staged before it is known what it is.
  if (detected && staged && staged.at < detected.at) steps.set(4, { ...staged, at: detected.at });
  return [...steps.values()].sort((a, b) => a.at - b.at || a.step - b.step);
}

/** The latest deployment among the messages begins with its staging or, without one, with its search for a DEA. */
export function latestDeployment(messages: readonly Message[]): number {
  const begins =
    messages.findLast((message) => /^vcap\.stager\./.test(message.subject)) ??
    messages.findLast((message) => message.subject === "dea.discover");
  return begins?.at ?? 0;
}

/** Questions and repeated news that say nothing about the flow itself. */
export function isNoise({ subject }: Message): boolean {
  return /^(dea\.find\.droplet|dea\.advertise|dea\.status|healthmanager\.(status|health))$/.test(subject);
}

function messageMark({ subject, at }: Message): Mark[] {
  const step = bySubject.find(([pattern]) => pattern.test(subject))?.[1];
  return step === undefined ? [] : [{ step, at, told: subject }];
}

function lineMark({ at, source, text }: Line): Mark[] {
  const step = byLine.find(([from, pattern]) => from === source && pattern.test(text))?.[2];
  if (step === undefined) return [];
  // The stager says how long the packing took that it has just done: the plugin was through before it.
  const packing = step === 4 ? 1000 * Number(/in (\d+(?:\.\d+)?) s/.exec(text)?.[1] ?? 0) : 0;
  return [{ step, at: Number(at / 1_000_000n) - packing, told: text }];
}
