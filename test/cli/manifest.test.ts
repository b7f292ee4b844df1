import { describe, expect, test } from "vitest";
import { parseManifest } from "../../cli/manifest.ts";

const cf = (text: string) => parseManifest({ file: "manifest.yml", text });
const stackato = (text: string, environment = {}) => parseManifest({ file: "app/stackato.yml", text, environment });

describe("a manifest.yml of Cloud Foundry", () => {
  test("with every key that means something here is read whole", () => {
    const { apps, warnings } = cf(`
version: 1
applications:
- name: shop
  path: ./dist
  memory: 1G
  disk_quota: 512MB
  instances: 3
  command: node server.js
  buildpacks: [nodejs]
  stack: debian
  env: { LEVEL: debug, PORTS: 80, NESTED: { a: 1 }, NOTHING: }
  routes:
  - route: shop.example.com/cart
  - route: www.example.com
  health-check-type: http
  health-check-http-endpoint: /healthz
  timeout: 90
  processes:
  - type: worker
    instances: 2
    memory: 64M
    command: node worker.js
    health-check-type: process
`);
    expect(warnings).toEqual([]);
    expect(apps).toEqual([
      {
        name: "shop",
        path: "./dist",
        memory: 1024,
        disk: 512,
        instances: 3,
        command: "node server.js",
        buildpacks: ["nodejs"],
        stack: "debian",
        env: { LEVEL: "debug", PORTS: "80", NESTED: '{"a":1}', NOTHING: "" },
        urls: ["shop.example.com/cart", "www.example.com"],
        health: { type: "http", endpoint: "/healthz", timeout: 90 },
        processes: [
          { type: "worker", instances: 2, memory: 64, command: "node worker.js", health: { type: "process" } },
        ],
      },
    ]);
  });

  test("inherits by anchors, and by keys that stand beside the applications", () => {
    const { apps, warnings } = cf(`
defaults: &defaults
  memory: 128M
env: { SHARED: yes please, OWN: false }
instances: 2
applications:
- <<: *defaults
  name: a
- <<: *defaults
  name: b
  memory: 1G
  instances: 1
  env: { OWN: b }
`);
    expect(warnings).toEqual([]);
    expect(apps).toMatchObject([
      { name: "a", memory: 128, instances: 2, env: { SHARED: "yes please", OWN: "false" } },
      { name: "b", memory: 1024, instances: 1, env: { SHARED: "yes please", OWN: "b" } },
    ]);
  });

  test("warns about keys it does not know, with their path and the likely meaning", () => {
    const { warnings } = cf(
      "applications:\n- name: a\n  memmory: 1G\n  services: [db]\n  processes: [{type: web, dsk: 1}]\n",
    );
    expect(warnings).toEqual([
      "manifest.yml: applications[0].memmory is not known and does nothing (did you mean memory?)",
      "manifest.yml: applications[0].services is not known and does nothing",
      "manifest.yml: applications[0].processes[0].dsk is not known and does nothing",
    ]);
  });

  test.each([
    ["applications: 3", "manifest.yml: applications must be a list"],
    ["applications: [3]", "manifest.yml: applications[0]: must be a map of keys and values"],
    [
      "applications: [{instances: some}]",
      'manifest.yml: applications[0].instances: "some" is not a whole number of at least 0',
    ],
    ["applications: [{memory: lots}]", 'manifest.yml: applications[0].memory: "lots" is no size of at least 1 MiB'],
    ["applications: [{env: [1]}]", "manifest.yml: applications[0].env must be a map of keys and values"],
    ["applications: [{routes: [a.b]}]", "manifest.yml: applications[0].routes[0] must be a map of keys and values"],
    [
      "applications: [{health-check-type: tcp}]",
      "manifest.yml: applications[0].health-check-type must be one of port, http, process, none",
    ],
    ["- a", "manifest.yml: must be a map of keys and values"],
    [
      "a: [",
      "manifest.yml: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 5",
    ],
  ])("that says %s is refused with the place", (text, message) => {
    expect(() => cf(text)).toThrow(message);
  });

  test("asks for detection with null or default", () => {
    expect(cf("applications: [{name: a, buildpack: default, command: null, memory: }]").apps).toEqual([
      { name: "a", env: {} },
    ]);
  });

  test("that is empty is an app of which nothing is said", () => {
    expect(cf("").apps).toEqual([{}]);
  });

  test("cannot blow up by aliases of aliases", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
      .split("")
      .map((key, at) => `${key}: &${key} [${Array(9).fill(`*${"abcdefgh"[at]}`)}]`)
      .join("\n")}`;
    expect(() => cf(bomb)).toThrow(/alias/i);
  });
});

describe("a stackato.yml", () => {
  test("of 2012 is read with its own words", () => {
    const { apps, warnings } = stackato(`
name: wiki
mem: 128
instances: 2
framework: { type: node, runtime: node06 }
url: wiki.example.com
env:
  PLAIN: text
  WITH_DEFAULT: { default: 7, hidden: yes }
processes: { web: node app.js }
ignores: [tmp]
`);
    expect(warnings).toEqual([]);
    expect(apps).toEqual([
      {
        name: "wiki",
        memory: 128,
        instances: 2,
        buildpacks: ["nodejs"],
        urls: ["wiki.example.com"],
        env: { PLAIN: "text", WITH_DEFAULT: "7" },
        command: "node app.js",
        ignores: ["tmp"],
      },
    ]);
  });

  test("takes variables from the person's environment when it says so", () => {
    const text = "env: { KEY: { inherit: true }, NEEDED: { required: true }, ABSENT: { inherit: true } }";
    expect(stackato(text, { KEY: "k", NEEDED: "n" }).apps[0]?.env).toEqual({ KEY: "k", NEEDED: "n" });
    expect(() => stackato(text)).toThrow("env.NEEDED is required and has no value");
  });

  test("may hold several apps by directory", () => {
    expect(stackato("applications: { front: { name: f, mem: 64M }, back: { name: b } }").apps).toEqual([
      { path: "front", name: "f", memory: 64 },
      { path: "back", name: "b" },
    ]);
  });

  test("asking for any buildpack means detection", () => {
    expect(stackato("framework: { type: buildpack }").apps).toEqual([{}]);
  });

  test("with hooks and services is read, with a warning for each", () => {
    expect(stackato("name: a\nhooks: { pre-running: [x] }\nservices: { db: mysql }").warnings).toEqual([
      "app/stackato.yml: hooks is not known and does nothing",
      "app/stackato.yml: services is not known and does nothing",
    ]);
  });
});
