import { describe, expect, test } from "vitest";
import { z } from "zod";
import { wordOf } from "../../../../agent/controller/api/audit.ts";
import { baseOf } from "../../../../agent/controller/api/base.ts";
import { metadataChange, parse } from "../../../../agent/controller/api/body.ts";
import { fromHere, isLoopback } from "../../../../agent/controller/api/loopback.ts";
import { manifestDiff } from "../../../../agent/controller/api/manifestDiff.ts";
import { passwords } from "../../../../agent/controller/api/passwords.ts";
import { mebibytes } from "../../../../agent/controller/api/quantity.ts";
import { readiness } from "../../../../agent/controller/api/readiness.ts";
import { delayAfter, throttle } from "../../../../agent/controller/api/throttle.ts";

describe("where a request began", () => {
  test("is here only when the socket and every hop say so", () => {
    expect(fromHere("127.0.0.1", undefined)).toBe(true);
    expect(fromHere("::ffff:127.0.0.1", "127.0.0.1, ::1")).toBe(true);
    expect(fromHere("127.0.0.1", "127.0.0.1, 203.0.113.9")).toBe(false);
    expect(fromHere("127.0.0.1", ["127.0.0.1", "203.0.113.9"])).toBe(false);
    expect(fromHere("203.0.113.9", "127.0.0.1")).toBe(false);
    expect(fromHere(undefined, undefined)).toBe(false);
  });

  test("is not believed of names that only look like loopback", () => {
    for (const name of ["localhost", "127.0.0.1.evil.example", "127.1", "0x7f.1", "", "::2", "unknown"])
      expect(isLoopback(name), name).toBe(false);
    for (const name of ["127.0.0.1", "127.9.9.9", "::1", "[::1]:80", "::FFFF:127.0.0.1"])
      expect(isLoopback(name), name).toBe(true);
  });
});

describe("the base of links", () => {
  test("is how the client reached us", () => {
    expect(baseOf({ host: "api.example:8080" }, "x")).toBe("http://api.example:8080");
    expect(baseOf({ host: "api.example", proto: "https" }, "x")).toBe("https://api.example");
    expect(baseOf({ host: "[::1]:9022" }, "x")).toBe("http://[::1]:9022");
  });

  test("never repeats what is no host", () => {
    for (const host of ["evil/path", "a b", 'x"y', "a@b", undefined, ""])
      expect(baseOf({ host, proto: "javascript" }, "127.0.0.1:9022")).toBe("http://127.0.0.1:9022");
  });
});

describe("a password", () => {
  test("is known again by its hash, and another is not", async () => {
    const { hash, verify } = passwords();
    const kept = await hash("correct horse");
    expect(kept).toMatch(/^\$argon2id\$m=65536,t=3,p=1\$/);
    expect(await hash("correct horse")).not.toBe(kept);
    expect(await verify("correct horse", kept)).toBe(true);
    expect(await verify("correct hors", kept)).toBe(false);
    expect(await verify("", kept)).toBe(false);
  });

  test("of nobody is never right", async () => {
    expect(await passwords().verify("anything", undefined)).toBe(false);
  });

  test("that was hashed by scrypt on an older Node is still known", async () => {
    const { scryptSync } = await import("node:crypto");
    const salt = Buffer.from("0123456789abcdef");
    const tag = scryptSync("old one", salt, 32, { N: 1024, r: 8, p: 1 });
    const kept = `$scrypt$N=1024,r=8,p=1$${salt.toString("base64")}$${tag.toString("base64")}`;
    expect(await passwords().verify("old one", kept)).toBe(true);
    expect(await passwords().verify("new one", kept)).toBe(false);
  });
});

describe("guessing", () => {
  test("has to wait longer and longer after a few failures, each name for itself", async () => {
    let now = 0;
    const guard = throttle(() => now);
    const wrong = () => guard.attempt("me", async () => false);
    for (let count = 0; count < 5; count++) expect(await wrong()).toBe(false);
    expect(await wrong()).toBe(500);
    expect(await guard.attempt("you", async () => true)).toBe(true);
    now += 500;
    expect(await wrong()).toBe(false);
    expect(await wrong()).toBe(1000);
    now += 1000;
    expect(await guard.attempt("me", async () => true)).toBe(true);
    expect(await wrong()).toBe(false);
    expect(delayAfter(100)).toBe(30_000);
  });

  test("in parallel gets no more tries", async () => {
    let checked = 0;
    const guard = throttle(() => 0);
    const attempts = Array.from({ length: 50 }, () => guard.attempt("me", async () => ++checked < 0));
    await Promise.all(attempts);
    expect(checked).toBe(5);
  });

  test("does not stop many good logins at the same time", async () => {
    const guard = throttle(() => 0);
    const attempts = Array.from({ length: 50 }, () => guard.attempt("me", async () => true));
    expect(new Set(await Promise.all(attempts))).toEqual(new Set([true]));
  });
});

describe("a body", () => {
  const schema = z.strictObject({ name: z.string(), count: z.int().optional(), metadata: metadataChange });
  const refusal = (body: unknown) => {
    try {
      parse(schema, body);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  test("with unknown fields is refused by their names", () => {
    expect(refusal({ name: "x", nmae: "y", z: 1 })).toBe("Unknown field(s): 'nmae', 'z'");
    expect(refusal({ name: "x", metadata: { label: {} } })).toBe("Metadata Unknown field(s): 'label'");
  });

  test("of the wrong kind is refused in words", () => {
    expect(refusal({ name: 5 })).toBe("Name must be a string");
    expect(refusal(undefined)).toMatch(/^Name can't be blank/);
    expect(refusal({ name: "x", count: "5" })).toMatch(/^Count must be a number/);
    expect(refusal([])).toMatch(/must be an object/);
  });
});

test("an audit type has the name that the bus has always used", () => {
  expect(wordOf("audit.app.create")).toBe("CREATE_APP");
  expect(wordOf("audit.app.delete-request")).toBe("DELETE_APP");
  expect(wordOf("audit.app.droplet.mapped")).toBe("DROPLET_MAPPED_APP");
  expect(wordOf("audit.app.map-route")).toBe("MAP_ROUTE_APP");
});

test("sizes are read in every spelling that people use", () => {
  expect(["512M", "1G", "1gb", "1.5G", "1024K", "2T", "64MB"].map(mebibytes)).toEqual([
    512, 1024, 1024, 1536, 1, 2097152, 64,
  ]);
  expect(["512", "", "M", "-1G", "1X", "1 000M"].map(mebibytes)).toEqual(Array(6).fill(undefined));
});

test("what a manifest would change is told key by key, and what it leaves out stays", () => {
  const present = {
    name: "a",
    memory: "1024M",
    env: { A: "1", B: "2" },
    processes: [{ type: "web", instances: 1 }],
    routes: [{ route: "a.x" }],
  };
  const wanted = {
    name: "a",
    memory: "1G",
    env: { A: "2", C: "3" },
    processes: [{ type: "web", instances: 2 }, { type: "worker" }],
    strange: 1,
  };
  expect(manifestDiff(wanted, present, 0)).toEqual([
    { op: "replace", path: "/applications/0/env/A", was: "1", value: "2" },
    { op: "add", path: "/applications/0/env/C", value: "3" },
    { op: "replace", path: "/applications/0/processes/0/instances", was: 1, value: 2 },
    { op: "add", path: "/applications/0/processes/1", value: { type: "worker" } },
  ]);
});

describe("a cluster is ready", () => {
  const part = (type: string, healthy = true) => ({ type, index: 0, uuid: "", host: "", uptime: "", healthy });
  const node = (state: "UP" | "LOST", ...names: string[]) => ({
    ...{ id: "n", address: "", version: "", state, roles: [], seen: 0 },
    components: names.map((name) => ({ name, state: "running", since: 0 })),
  });

  test("when one of each kind is there and well", () => {
    expect(readiness(["Core", "DEA"], { nodes: [], components: [part("Core"), part("DEA")] }).ready).toBe(true);
    const { ready, missing } = readiness(["Core", "DEA"], {
      nodes: [],
      components: [part("Core"), part("DEA", false)],
    });
    expect(ready).toBe(false);
    expect(missing).toEqual(["DEA: 0 of 1 are there and healthy"]);
  });

  test("only when every node that is up has what it should run", () => {
    const nodes = [node("UP", "dea"), node("UP", "dea"), node("LOST", "dea")];
    expect(readiness(["DEA"], { nodes, components: [part("DEA")] }).missing).toEqual([
      "DEA: 1 of 2 are there and healthy",
    ]);
    expect(readiness(["DEA"], { nodes, components: [part("DEA"), part("DEA")] }).ready).toBe(true);
  });
});
