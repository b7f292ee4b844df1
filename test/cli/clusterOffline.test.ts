import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Person, person } from "../support/tutti.ts";
import { until } from "../support/until.ts";

interface Said {
  pid: number;
  url: string;
  fresh: boolean;
  stopped: boolean;
}

let me: Person;
let first: Said;
beforeAll(async () => {
  me = await person();
});
afterAll(async () => {
  await me.tutti(["offline", "down"]);
  await me.gone();
});

async function offline(word: "up" | "down"): Promise<Said> {
  const ran = await me.tutti(["offline", word, "--json"]);
  if (ran.code !== 0) throw new Error(`tutti offline ${word} ended with ${ran.code}: ${ran.err}`);
  return ran.json() as unknown as Said;
}

const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );
const place = (path: string) => join(me.home, "offline", path);

// One life: each test goes on where the one before it ended.
describe("an offline ground", { timeout: 90_000 }, () => {
  it("outlives the command that has started it", async () => {
    first = await offline("up");
    expect(first.fresh).toBe(true);
    expect(await answers(first.url)).toBe(true);
    expect(JSON.parse(readFileSync(place("ground.json"), "utf8"))).toEqual({ pid: first.pid, url: first.url });
  });

  it("is the same one for the next command", async () => {
    expect(await offline("up")).toMatchObject({ pid: first.pid, url: first.url, fresh: false });
  });

  it("that was killed is begun anew, without the state that tells of a world that is gone", async () => {
    process.kill(first.pid, "SIGKILL");
    await until(async () => !(await answers(first.url)), { what: "the API is gone" });
    const { code, err } = await me.tutti(["preview", "/nowhere/cluster.yaml", "--offline"]);
    expect({ code, err: err.split("\n")[0] }).toEqual({ code: 1, err: "error: /nowhere/cluster.yaml is not there" });
    const second = await offline("up");
    expect([second.fresh, second.pid === first.pid]).toEqual([true, false]);
    expect(existsSync(place("clusters"))).toBe(false);
  });

  it("ends when it is told to, and being told twice is no error", async () => {
    const { url } = await offline("up");
    expect((await offline("down")).stopped).toBe(true);
    expect(await answers(url)).toBe(false);
    expect(existsSync(place("ground.json"))).toBe(false);
    expect((await offline("down")).stopped).toBe(false);
  });
});
