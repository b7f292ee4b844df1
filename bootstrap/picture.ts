import { z } from "zod";
import { roleName } from "../roles/role.ts";

/** What of `node.json` first contact has to know. What else is in it is the agent's business. */
const facts = z.object({
  id: z.string(),
  cluster: z.string(),
  domain: z.string(),
  roles: z.array(roleName),
  address: z.string(),
  home: z.string(),
  ports: z.object({ controller: z.number(), router: z.number() }),
  join: z.object({ ca: z.string(), cores: z.array(z.string()) }).optional(),
});
export type NodeFacts = z.output<typeof facts>;

export const bootStep = z.object({ boot: z.string(), name: z.string(), exit: z.number(), lines: z.array(z.string()) });
export const bootResult = z.object({ boot: z.string(), state: z.string(), step: z.string(), exit: z.number() });
const status = z.object({
  components: z.array(z.object({ name: z.string(), state: z.string(), reason: z.string().optional() })),
});

/** A node as `watch.sh` saw it. */
export interface Picture {
  /** Undefined as long as the machine is no node. */
  readonly node: NodeFacts | undefined;
  /** The text of its node.json. */
  readonly nodeText: string;
  readonly result: z.output<typeof bootResult> | undefined;
  /** Steps of the newest boot. */
  readonly steps: readonly z.output<typeof bootStep>[];
  /** The boot step that runs. */
  readonly running: string | undefined;
  readonly components: z.output<typeof status>["components"];
  readonly agentLives: boolean;
  readonly ready: boolean;
  readonly hasAuthority: boolean;
  /** Our boot script is on the machine. */
  readonly hasBoot: boolean;
  /** cloud-init is still at work. */
  readonly cloudInit: boolean;
  /** Users of old images who can log in with a password. */
  readonly passwords: readonly string[];
  /** The controller's port speaks plain HTTP. */
  readonly plain: boolean;
  /** The agent's last words, when the watching has ended in vain. */
  readonly log: readonly string[];
}

/** Takes the watch's output as it comes, and gives each whole picture. */
export function pictures(take: (picture: Picture) => void): (text: string) => void {
  let rest = "";
  let last: Map<string, string[]> | undefined;
  let before: Picture | undefined;
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "==~") continue;
      last ??= new Map();
      if (line === "==.") {
        const now = pictureOf(last);
        // The agent's last words come by themselves: they belong to what was told before.
        before = last.has("log") && before ? { ...before, log: now.log } : now;
        last = undefined;
        take(before);
      } else if (line.startsWith("== ")) last.set(line.slice(3), []);
      else [...last.values()].at(-1)?.push(line);
    }
  };
}

function pictureOf(sections: ReadonlyMap<string, readonly string[]>): Picture {
  const text = (name: string) => (sections.get(name) ?? []).join("\n");
  const told = sections.get("facts") ?? [];
  const result = read(bootResult, text("result"));
  const steps = (sections.get("journal") ?? []).flatMap((line) => read(bootStep, line) ?? []);
  const after = (word: string) =>
    told.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    node: read(facts, text("node")),
    nodeText: text("node"),
    result,
    steps: steps.filter(({ boot }) => boot === (result?.boot ?? steps.at(-1)?.boot)),
    running: /([^/]+)\.log$/.exec(after("running")[0] ?? "")?.[1],
    components: read(status, text("status"))?.components ?? [],
    agentLives: told.includes("agent"),
    ready: told.includes("ready"),
    hasAuthority: told.includes("authority"),
    hasBoot: told.includes("boot"),
    cloudInit: told.includes("cloud-init"),
    passwords: after("password"),
    plain: after("speaks").includes("HTTP"),
    log: sections.get("log") ?? [],
  };
}

/** What a text in JSON says; undefined when it is none, or torn. */
export function read<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
