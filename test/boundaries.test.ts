import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// The import direction is a test, and each refusal says why.

const project = fileURLToPath(new URL("..", import.meta.url));

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

const sources = globSync("{agent,bootstrap,cli,cloudinit,infra,pki,rehearsal,roles}/**/*.{ts,mjs}", {
  cwd: project,
}).sort();
const imports = sources.flatMap((file): Import[] => {
  const text = readFileSync(join(project, file), "utf8");
  const statements = text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;"']*?from\s+"([^"]+)"|import\("([^"]+)"\)/gm);
  return [...statements].map(([, type, from, lazy]) => ({ file, target: from ?? lazy ?? "", typeOnly: Boolean(type) }));
});
const ours = imports
  .filter(({ target }) => target.startsWith("."))
  .map((one) => ({ ...one, target: normalize(join(dirname(one.file), one.target)) }));
const outside = imports.filter(({ target }) => !target.startsWith(".") && !target.startsWith("node:"));

/** `agent/dea/driver.ts` → `agent/dea`; files right below `agent` are the node's own wiring. */
function place(file: string): string {
  const [top = "", next = ""] = file.split("/");
  return top === "agent" && !next.includes(".") ? `agent/${next}` : top;
}

const leaves = ["agent/run", "agent/bus", "agent/store", "agent/archive"];
const components = ["agent/controller", "agent/stager", "agent/dea", "agent/router", "agent/health", "agent/services"];
const mayImport: Record<string, { from: readonly string[]; why: string }> = {
  roles: { from: [], why: "the words are at the leaf: everybody may know them, they know nobody" },
  pki: { from: [], why: "who is trusted is decided without knowing anybody" },
  cloudinit: { from: ["roles"], why: "a birth certificate is made of a node's words only" },
  infra: { from: ["cloudinit", "pki", "roles"], why: "the ground is declared; what runs on it is not its business" },
  bootstrap: { from: ["pki", "roles"], why: "first contact comes from outside, over ssh" },
  cli: {
    from: ["roles", "bootstrap", "cloudinit", "infra", "pki", "rehearsal"],
    why: "a person's laptop speaks HTTP to the controller and needs no part of the agent",
  },
  rehearsal: {
    from: ["agent/run", "infra", "pki", "roles", "bootstrap", "cloudinit"],
    why: "the rehearsal uses the public faces, and lives as everything lives",
  },
  agent: {
    from: ["roles", "agent/identity", "agent/core", ...leaves, ...components],
    why: "the node wires everything and is wired by nobody",
  },
  ...Object.fromEntries(
    leaves.map((leaf) => [
      leaf,
      { from: [], why: "ports and lifecycle import nothing of ours, so that anything may stand on them" },
    ]),
  ),
  "agent/core": { from: ["pki", ...leaves], why: "it meets the others on the bus; it is the one that lets nodes in" },
  "agent/identity": { from: ["pki", ...leaves], why: "a node proves who it is before it is anything else" },
  ...Object.fromEntries(
    components.map((one) => [
      one,
      { from: leaves, why: "components meet on the bus, in the store or over HTTP: that lets any of them move" },
    ]),
  ),
};

const homes: Record<string, readonly string[]> = {
  "@nats-io/transport-node": ["agent/bus/nats.ts"],
  "@nats-io/jetstream": ["agent/store/jetstream.ts"],
  "@nats-io/kv": ["agent/store/jetstream.ts"],
  "@nats-io/obj": ["agent/store/objects.ts"],
  "@nats-io/nkeys": ["agent/bus/nkeys.ts"],
  pino: ["agent/run/log.ts"],
  fastify: ["agent/controller/"],
  "@fastify/multipart": ["agent/controller/"],
  jose: ["agent/controller/"],
  yauzl: ["agent/archive/"],
  yazl: ["agent/archive/", "cli/push/"],
  yaml: ["roles/", "cli/", "agent/stager/", "agent/controller/api/manifestYaml.ts"],
  commander: ["cli/main.ts", "cli/"],
  handlebars: ["cloudinit/render.ts"],
  "@pulumi/pulumi": ["infra/", "rehearsal/"],
  "@pulumi/aws": ["infra/"],
  "@aws-sdk/client-ec2": ["infra/inventory", "rehearsal/"],
  "@aws-sdk/client-iam": ["infra/inventory", "rehearsal/"],
  "@aws-sdk/client-s3": ["infra/inventory", "rehearsal/"],
  ssh2: ["bootstrap/ssh.ts"],
  undici: ["cli/"],
};

describe("who may import whom", () => {
  it.each(Object.entries(mayImport))("%s imports only what it may", (from, { from: allowed, why }) => {
    const wrong = ours.filter(({ file, target, typeOnly }) => {
      // A type is erased: it says what shape a neighbour's hand has, and pulls nothing in.
      const free = typeOnly && leaves.includes(place(target));
      return place(file) === from && place(target) !== from && !allowed.includes(place(target)) && !free;
    });
    expect(wrong.map(({ file, target }) => `${file} imports ${target}: ${why}`)).toEqual([]);
  });

  it("keeps each outside package in its home", () => {
    const strays = outside.filter(({ file, target, typeOnly }) => {
      const home = homes[target];
      return home && !typeOnly && !home.some((place) => file === place || file.startsWith(place));
    });
    expect(strays.map(({ file, target }) => `${file} imports ${target}, whose home is ${homes[target]}`)).toEqual([]);
  });

  it("lets nobody import the examples, the tests or the tools", () => {
    const wrong = ours.filter(({ target }) => /^(examples|test|tools)\//.test(target));
    expect(wrong).toEqual([]);
  });
});

describe("the house's measures", () => {
  it("keeps every source file within 250 lines", () => {
    const long = sources.map((file) => ({
      file,
      lines: readFileSync(join(project, file), "utf8").split("\n").length - 1,
    }));
    expect(long.filter(({ lines }) => lines > 250)).toEqual([]);
  });

  it("has no drawer for things without a name", () => {
    expect(sources.filter((file) => /(^|\/)(utils?|common|helpers?|misc)(\/|\.)/.test(file))).toEqual([]);
  });
});
