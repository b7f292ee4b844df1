import { describe, expect, test } from "vitest";
import type { AppSpec } from "../../../cli/appSpec.ts";
import { makeCall } from "../../../cli/call.ts";
import { processIo } from "../../../cli/io.ts";
import { specsOf } from "../../../cli/push/processes.ts";
import { wanted } from "../../../cli/push/wanted.ts";

const ask = (args: string[], options: Record<string, unknown>, apps: AppSpec[] = []) =>
  wanted(makeCall(processIo(false), args, options), { apps, base: "/manifest/dir", cwd: "/here" });

describe("what is to be pushed", () => {
  test("without a manifest is what the command line says", () => {
    expect(ask(["hello"], { path: "sub", memory: "1G", instances: "2", env: ["A=1"], route: false })).toEqual([
      { name: "hello", directory: "/here/sub", memory: 1024, instances: 2, env: { A: "1" }, noRoute: true },
    ]);
  });

  test("paths of the manifest are its own, paths of the command line the person's", () => {
    expect(ask([], {}, [{ name: "a", path: "src" }])[0]?.directory).toBe("/manifest/dir/src");
    expect(ask([], { path: "src" }, [{ name: "a", path: "src" }])[0]?.directory).toBe("/here/src");
  });

  test("an address on the command line replaces those of the manifest", () => {
    const app = { name: "a", urls: ["x.y"], hosts: ["h"], randomRoute: true };
    expect(ask([], { hostname: "own" }, [app])[0]).toMatchObject({
      urls: undefined,
      hosts: ["own"],
      randomRoute: false,
    });
    expect(ask([], { url: ["p.q"] }, [app])[0]).toMatchObject({ urls: ["p.q"], hosts: undefined });
  });

  test("under another name the manifest's addresses are left to the app they were written for", () => {
    const [app] = ask(["copy"], {}, [{ name: "a", urls: ["a.example.com"], memory: 64 }]);
    expect(app).toEqual({ name: "copy", directory: "/manifest/dir", memory: 64, env: {} });
  });

  test("health checks are merged", () => {
    const [app] = ask([], { timeout: "5" }, [{ name: "a", health: { type: "http", endpoint: "/up", timeout: 60 } }]);
    expect(app?.health).toEqual({ type: "http", endpoint: "/up", timeout: 5 });
  });

  test("without any name is asked for", () => {
    expect(() => ask([], {})).toThrow("what is the app's name?");
  });
});

describe("processes", () => {
  const droplet = { process_types: { web: "x", worker: "y" } };

  test("the app's own numbers are web's; the manifest's list comes before them, the command line before all", () => {
    const app: AppSpec = {
      name: "a",
      memory: 64,
      instances: 3,
      processes: [
        { type: "worker", memory: 32 },
        { type: "web", memory: 128 },
      ],
    };
    const plain = specsOf(ask([], {}, [app])[0] ?? { name: "", directory: "" }, droplet);
    expect(plain).toMatchObject([
      { type: "worker", memory: 32 },
      { type: "web", memory: 128, instances: 3 },
    ]);
    const over = specsOf(ask([], { memory: "256M" }, [app])[0] ?? { name: "", directory: "" }, droplet);
    expect(over).toMatchObject([
      { type: "worker", memory: 32 },
      { type: "web", memory: 256, instances: 3 },
    ]);
  });

  test("a droplet without web process gets no web instance unless one is asked for", () => {
    const worker = { process_types: { worker: "y" } };
    const base = { name: "a", directory: "/" };
    expect(specsOf(base, worker)).toMatchObject([{ type: "web", instances: 0 }]);
    expect(specsOf({ ...base, instances: 1 }, worker)).toMatchObject([{ instances: 1 }]);
    expect(specsOf({ ...base, command: "z" }, worker)[0]?.instances).toBeUndefined();
  });
});
