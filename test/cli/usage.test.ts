import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../cli/commands.ts";
import { type Person, person } from "../support/tutti.ts";

let me: Person;
beforeAll(async () => {
  me = await person();
});
afterAll(() => me.gone());

describe("wrong usage ends with 64 and a line that helps", () => {
  test.each([
    ["psh", "unknown command 'psh'", "did you mean tutti push?"],
    ["frobnicate", "unknown command 'frobnicate'", "tutti --help lists all commands"],
    ["push --memry 1G", "unknown option '--memry'", "did you mean --memory?"],
    ["push --memory", "option '-m, --memory <size>' argument missing", "see: tutti push --help"],
    ["push x --memory lots", '--memory: "lots" is no size', "write it like 256M or 1G"],
    ["push x -i many", '--instances: "many" is not a whole number', ""],
    [
      "push x --strategy magic",
      "argument 'magic' is invalid. Allowed choices are rolling, restart.",
      "see: tutti push --help",
    ],
    ["push x --env NOVALUE", '--env: "NOVALUE" is not of the form NAME=VALUE', ""],
    ["push", "what is the app's name?", "tutti push NAME"],
    ["scale", "missing required argument 'app'", "see: tutti scale --help"],
    ["apps now", "too many arguments for 'apps'", "see: tutti apps --help"],
    ["node", '"tutti node" needs one more word: list, explain, console, attach', "e.g. tutti node list"],
    ["node lst", "unknown command 'lst'", "did you mean tutti node list?"],
    ["help psh", "there is no such command", "tutti --help lists all commands"],
    ["target ftp://x", '"ftp://x" is not the address of an API', "e.g. tutti target http"],
    ["ready --block soon", '--block: "soon" is not a whole number', ""],
    ["process ready rooter", 'there is no component "rooter"', "did you mean router?"],
    ["role info deaa", 'there is no role "deaa"', "did you mean dea?"],
    ["delete hello", "there is no terminal to ask at whether you are sure", "tutti delete hello --force"],
    ["curl v3/apps", '"v3/apps" is not a path of the API', "e.g. tutti curl /v3/apps"],
    ["set-env hello 1X y", '"1X" is no name for a variable', "letters"],
    ["login --password secret", "unknown option '--password'", "did you mean --password-stdin?"],
  ])("tutti %s", async (line, cause, hint) => {
    const { code, out, err } = await me.tutti(line.split(" "));
    expect(err).toContain(cause);
    expect(err.split("\n")[1] ?? "").toContain(hint);
    expect(err).not.toMatch(/\n\s+at /);
    expect({ code, out }).toEqual({ code: 64, out: "" });
  });

  test("with --json anywhere, the last line of stdout says the same", async () => {
    for (const line of ["--json psh", "psh --json"]) {
      const ran = await me.tutti(line.split(" "));
      expect(ran.code).toBe(64);
      expect(ran.json()).toEqual({
        ok: false,
        error: { code: "usage", message: "unknown command 'psh'", hint: "did you mean tutti push?" },
      });
    }
  });
});

describe("help", () => {
  test("lists every command under its heading, and is what comes when nothing is said", async () => {
    const { code, out, err } = await me.tutti([]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const { name, group } of commands) expect(out).toMatch(new RegExp(`${group}:[\\s\\S]*\\n {2}${name}\\b`));
    expect((await me.tutti(["--help"])).out).toBe(out);
  });

  test("of each command has its options and an example", async () => {
    for (const name of ["push", "logs", "solo"]) {
      const { out } = await me.tutti(["help", name]);
      expect(out).toContain(`Usage: tutti ${name}`);
      expect(out).toMatch(/Example:\n {2}tutti /);
    }
  });

  test("every row of the table has what it needs, and no two have one name", () => {
    const all = commands.flatMap((row) => [row, ...(row.commands ?? [])]);
    for (const row of all) {
      expect(row.example).toMatch(new RegExp(`\\b${row.name}\\b|\\b${row.commands?.[0]?.name}\\b`));
      expect(row.load || row.commands || row.more).toBeTruthy();
    }
    expect(new Set(commands.map((row) => row.name)).size).toBe(commands.length);
  });

  test("every command's file is there", async () => {
    for (const row of commands.flatMap((each) => [each, ...(each.commands ?? [])])) {
      if (row.load) expect(await row.load()).toBeTypeOf("function");
    }
  });

  test("the version is that of the package", async () => {
    expect((await me.tutti(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
