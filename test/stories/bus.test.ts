import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subjects } from "../../agent/bus/subjects.ts";
import { app, hello } from "../support/apps.ts";
import { type Solo, soloCluster, until } from "../support/solo.ts";
import { pairs, type Spoken, spoken } from "./pairs.ts";

// A cluster lives through a push, a scale, an update, a crash, a stop and a delete, while the bus server itself writes
// down who said and heard what. Its word is independent of ours.

let solo: Solo;
const work = mkdtempSync(join(tmpdir(), "tutti-trace-"));
const trace = join(work, "bus.log");

const said = (): Spoken[] =>
  readFileSync(trace, "utf8")
    .split("\n")
    .flatMap((line) => spoken(line) ?? []);

beforeAll(async () => {
  solo = await soloCluster({ beat: 250, env: { TUTTI_BUS_TRACE: trace } });
  await solo.json("push", "hello", "--path", hello);
  await solo.json("scale", "hello", "-i", "2");
  const host = `hello.${solo.domain}`;
  await solo.json("map", "hello", `www.${solo.domain}`);
  await until(
    () => solo.get(`www.${solo.domain}`),
    (page) => page.status === 200,
  );
  const { pid } = await app(solo, host);
  process.kill(pid, "SIGKILL");
  await until(
    () => app(solo, host).catch(() => undefined),
    (again) => again && again.pid !== pid,
  );
  await solo.json("app", "hello");
  await solo.json("apps");
  await solo.json("status");
  await solo.json("stop", "hello");
  await solo.json("app", "hello");
  await solo.json("delete", "hello", "--force");
  await solo.down();
}, 120_000);

afterAll(async () => {
  await solo?.remove();
  rmSync(work, { recursive: true, force: true });
});

describe("a cluster that lives through everything", () => {
  const wanted = Object.entries(pairs).flatMap(([component, { publishes, hears }]) => [
    ...publishes.map((subject): Spoken => ({ component, verb: "publishes", subject })),
    ...hears.map((subject): Spoken => ({ component, verb: "hears", subject })),
  ]);

  it("has 52 pairs to speak", () => {
    expect(wanted).toHaveLength(52);
  });

  it.each(wanted.map((one) => [`${one.component} ${one.verb} ${one.subject}`, one] as const))("%s", (_title, one) => {
    expect(said()).toContainEqual(one);
  });

  it("speaks and hears nothing that the table of subjects does not allow", () => {
    const allowed = (one: Spoken) =>
      Object.values(subjects).some(
        ({ name, speakers, listeners }) =>
          name === one.subject &&
          [...(one.verb === "publishes" ? speakers : listeners)].includes(one.component as never),
      );
    // The recorder of the core listens to everybody: that is what it is for.
    const strays = said().filter((one) => one.component !== "core" && !allowed(one));
    expect([...new Set(strays.map((one) => JSON.stringify(one)))]).toEqual([]);
  });
});
