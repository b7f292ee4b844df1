import { describe, expect, it } from "vitest";
import { describe as exitText } from "../../../../agent/controller/engine/exits.ts";
import { isSigned, signed } from "../../../../agent/controller/engine/signed.ts";
import { failureText, processTypes } from "../../../../agent/controller/engine/stagingResult.ts";
import { startMessage } from "../../../../agent/controller/engine/startMessage.ts";
import { base, webProcess } from "../../../support/engine.ts";

describe("a signed address", () => {
  const key = "k";
  const query = (address: string) => Object.fromEntries(new URL(address, "http://x").searchParams);

  it("is good until it expires, for its path and key only", () => {
    const one = query(signed(key, "/a/b", 5_000));
    expect(isSigned(key, "/a/b", one, 5_000)).toBe(true);
    expect(isSigned(key, "/a/b", one, 5_001)).toBe(false);
    expect(isSigned(key, "/a/c", one, 0)).toBe(false);
    expect(isSigned("other", "/a/b", one, 0)).toBe(false);
    expect(isSigned(key, "/a/b", { ...one, expires: "6" }, 0)).toBe(false);
    expect(isSigned(key, "/a/b", { expires: ["5", "5"], signature: one["signature"] }, 0)).toBe(false);
    expect(isSigned(key, "/a/b", {}, 0)).toBe(false);
  });
});

describe("why a staging failed", () => {
  it.each([
    ['{"class":"VCAP::Stager::AppUnzipError","details":"bad zip"}', "StagerFail/AppUnzipError: bad zip"],
    ["plain words", "StagerFail/TaskError: plain words"],
    ['{"no":"class"}', 'StagerFail/TaskError: {"no":"class"}'],
  ])("is read from %s", (error, text) => {
    expect(failureText(error, "")).toBe(text);
  });

  it("ends with the last ten lines", () => {
    const log = Array.from({ length: 30 }, (_, n) => `line ${n}`).join("\n");
    const text = failureText("x", `${log}\n`);
    expect(text.split("\n")).toHaveLength(11);
    expect(text.endsWith("line 29")).toBe(true);
  });

  it("leaves process types to the Procfile where it names them", () => {
    const result = { task_id: "t", task_log: "" };
    expect(processTypes({ ...result, detected_start_command: "a", procfile: { web: "b", worker: "c" } })).toEqual({
      web: "b",
      worker: "c",
    });
    expect(processTypes({ ...result, detected_start_command: "a" })).toEqual({ web: "a" });
    expect(processTypes(result)).toEqual({});
  });
});

describe("why an instance ended", () => {
  it.each([
    [137, "out of memory", "exit status 137: out of memory"],
    [-1, "no listener on port 61001", "no listener on port 61001"],
    [0, "", "exit status 0"],
    [-1, "", "the instance ended unasked"],
  ])("%i and %j read as a sentence", (exit_status, exit_description, text) => {
    expect(exitText({ exit_status, exit_description })).toBe(text);
  });
});

describe("a start message", () => {
  const metadata = { labels: {}, annotations: {} };
  const app = {
    ...base("a"),
    ...{
      name: "../up and away",
      space: "s",
      state: "STARTED" as const,
      buildpacks: [],
      stack: "st",
      env: {},
      features: {},
      metadata,
    },
  };
  const droplet = {
    ...base("d"),
    ...{ app: "a", state: "STAGED" as const, sha1: "f", size: 1, stack: "st", process_types: { worker: "work" } },
    ...{ execution_metadata: "", metadata },
  };
  const facts = {
    app,
    droplet,
    space: undefined,
    organization: undefined,
    uris: [],
    executableUri: "http://x",
    api: "http://api",
  };

  it("has a name that is no path, and the command of its type", () => {
    const process = { ...webProcess(app), type: "worker" };
    expect(startMessage({ ...facts, process }, 3)).toMatchObject({
      name: "__up_and_away",
      index: 3,
      start_command: "work",
      uris: [],
      services: [],
    });
  });

  it("prefers the process's own command and leaves it out when there is none", () => {
    const web = webProcess(app);
    expect(startMessage({ ...facts, process: web }, 0).start_command).toBeUndefined();
    expect(startMessage({ ...facts, process: { ...web, command: "mine" } }, 0).start_command).toBe("mine");
  });

  it("carries health check and flapping only as they are", () => {
    const process = { ...webProcess(app), health_check: { type: "http" as const, endpoint: "/up", timeout: 90 } };
    expect(startMessage({ ...facts, process }, 0, true)).toMatchObject({
      health_check: { type: "http", endpoint: "/up" },
      health_check_timeout: 90,
      flapping: true,
    });
  });
});
