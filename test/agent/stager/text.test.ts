import { describe, expect, test } from "vitest";
import { buildEnvironment, variables } from "../../../agent/stager/environment.ts";
import { excerpt } from "../../../agent/stager/excerpt.ts";
import { emptyPlan } from "../../../agent/stager/framework.ts";
import { splitter } from "../../../agent/stager/lines.ts";
import { withoutNpmSecrets, withoutUrlSecrets } from "../../../agent/stager/registries.ts";
import { details, errorText, phase, StagingError } from "../../../agent/stager/stagingError.ts";
import { startupScript } from "../../../agent/stager/startup.ts";

describe("lines of output", () => {
  test("come whole, however the chunks are cut", () => {
    const cut = splitter();
    expect([cut.push("on"), cut.push("e\ntwo\r\n\nth"), cut.push("ree"), cut.end(), cut.end()]).toEqual([
      [],
      ["one", "two", ""],
      [],
      ["three"],
      [],
    ]);
  });

  test("that a progress bar overwrites show its last state", () => {
    expect(splitter().push("10%\r50%\r100%\ndone\n")).toEqual(["100%", "done"]);
  });

  test("that never end are passed on in pieces", () => {
    const cut = splitter();
    const pieces = cut.push("x".repeat(10_000));
    expect(pieces.map((piece) => piece.length)).toEqual([4096, 4096, 1808]);
    expect(cut.end()).toEqual([]);
  });
});

describe("an excerpt", () => {
  test("is the whole text as long as it is short", () => {
    const one = excerpt({ head: 3, tail: 4 });
    for (const part of ["ab", "cd", "efg"]) one.add(part);
    expect(one.text()).toBe("abcdefg");
  });

  test("of a long text has its beginning and its end, and says how much is left out", () => {
    const one = excerpt({ head: 3, tail: 4 });
    for (const part of ["abcdef", "ghi", "jklm"]) one.add(part);
    expect(one.text()).toBe("abc\n… 6 characters are left out here …\njklm");
  });
});

describe("the startup script", () => {
  const last = (command: string | undefined) => startupScript(command, emptyPlan).trim().split("\n").at(-1);

  test("becomes the app when the command is a plain one, and leaves a shell only where one is needed", () => {
    expect(last("node server.js --port $PORT")).toBe("exec node server.js --port $PORT");
    for (const command of ["A=1 node x.js", "cd src && node x.js", "exec node x.js", "if true; then x; fi", ". ./env"])
      expect(last(command)).toBe(command);
  });

  test("of an app without a web process says so", () => {
    expect(last(undefined)).toContain("this app has no web process");
  });

  test("puts the build's directories in front and lets the user's variables win", () => {
    const text = startupScript("x", {
      path: ["python/bin"],
      search: { PYTHONPATH: "python" },
      defaults: { NODE_ENV: "production" },
    });
    expect(text).toContain('PATH="$root/python/bin:$PATH"; export PATH');
    expect(text).toContain(`PYTHONPATH="$root/python\${PYTHONPATH:+:$PYTHONPATH}"; export PYTHONPATH`);
    expect(text).toContain(`: "\${NODE_ENV=production}"; export NODE_ENV`);
  });
});

describe("the environment of a build", () => {
  const place = { path: "/bin", home: "/w/home", tmp: "/w/tmp", cache: "/c" };

  test("has what reaches the registries and nothing else of the agent's", () => {
    const agent = {
      PATH: "/agent",
      HOME: "/root",
      TUTTI_SEED: "secret",
      AWS_SECRET_ACCESS_KEY: "secret",
      NPM_CONFIG_REGISTRY: "http://r",
      "npm_config_@mine:registry": "http://m",
      npm_config_local_prefix: "/somewhere",
      npm_config_cache: "/root/.npm",
      "npm_config_//r/:_authToken": "secret",
      npm_package_name: "tutti",
      PIP_INDEX_URL: "http://p",
      PIP_TARGET: "/x",
      https_proxy: "http://proxy",
      NODE_EXTRA_CA_CERTS: "/ca",
    };
    const env = buildEnvironment(place, agent, []);
    expect(env).toMatchObject({
      PATH: "/bin",
      HOME: "/w/home",
      NPM_CONFIG_REGISTRY: "http://r",
      "npm_config_@mine:registry": "http://m",
      PIP_INDEX_URL: "http://p",
      https_proxy: "http://proxy",
      NODE_EXTRA_CA_CERTS: "/ca",
      npm_config_cache: "/c/npm",
      PIP_CACHE_DIR: "/c/pip",
    });
    expect(JSON.stringify(env)).not.toContain("secret");
    for (const name of ["npm_config_local_prefix", "npm_package_name", "PIP_TARGET"])
      expect(env).not.toHaveProperty(name);
  });

  test("has the user's variables, except where things are put", () => {
    const env = buildEnvironment(place, {}, [
      "A=1",
      "PATH=/mine",
      "HOME=/",
      "npm_config_cache=/",
      "CI=false",
      "=x",
      "y",
    ]);
    expect(env).toMatchObject({ A: "1", PATH: "/bin", HOME: "/w/home", npm_config_cache: "/c/npm", CI: "true" });
  });

  test("keeps values with equals signs and new lines", () => {
    expect(variables(["A=b=c", "B=", "C=1\n2", "1D=x"])).toEqual({ A: "b=c", B: "", C: "1\n2" });
  });
});

describe("settings of package managers", () => {
  test("lose what authenticates", () => {
    const npmrc = "registry=http://r\n//r/:_authToken=secret\n_auth = secret\n//r/:_password=secret\ncafile=/ca\n";
    expect(withoutNpmSecrets(npmrc)).toBe("registry=http://r\ncafile=/ca\n");
    expect(withoutUrlSecrets("[global]\nindex-url = https://me:secret@p/simple\n")).toBe(
      "[global]\nindex-url = https://p/simple\n",
    );
  });
});

describe("an error of staging", () => {
  test("travels as JSON in a string, in the class names of 2012", () => {
    const error = new StagingError("StagingPluginError", "npm failed", { hint: "try", lines: ["a", "b"] });
    expect(JSON.parse(errorText(error))).toEqual({
      class: "VCAP::Stager::StagingPluginError",
      details: "npm failed; try\nThe last lines of the output:\na\nb",
    });
  });

  test("keeps its kind through phases, and takes the reason out of what fetch throws", async () => {
    const inner = new StagingError("StagingTimeoutError", "too long");
    await expect(phase("InternalError", "x: ", () => Promise.reject(inner))).rejects.toBe(inner);
    const refused = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    const outer = await phase("AppDownloadError", "no bits: ", () => Promise.reject(refused)).catch((error) => error);
    expect(details(outer)).toBe("no bits: fetch failed: connect ECONNREFUSED");
  });
});
