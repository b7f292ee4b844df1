import { describe, expect, test } from "vitest";
import { painter } from "../../cli/io.ts";
import { assignment, mebibytes, wholeNumber } from "../../cli/quantity.ts";
import { ago, bytes, facts, plain, span, table, took } from "../../cli/show.ts";

describe("what people read", () => {
  test.each([
    [0, "0B"],
    [1023, "1023B"],
    [1536, "1.5K"],
    [268_435_456, "256M"],
    [1_073_741_824, "1G"],
    [1_048_575, "1M"],
    [12_345_678, "12M"],
  ])("%i bytes are %s", (value, text) => expect(bytes(value)).toBe(text));

  test.each([
    [0.4, "0s"],
    [59, "59s"],
    [185, "3m 5s"],
    [7_800, "2h 10m"],
    [360_000, "4d 4h"],
    [-5, "0s"],
  ])("%f seconds are %s", (value, text) => expect(span(value)).toBe(text));

  test("times are told from now", () => {
    expect(ago(1000, 1500)).toBe("just now");
    expect(ago(1000, 62_000)).toBe("1m 1s ago");
    expect(took(42)).toBe("0.04 s");
    expect(took(12_340)).toBe("12.3 s");
  });

  test("tables are aligned, also when cells are coloured or missing", () => {
    const paint = painter(true);
    const text = table(
      ["NAME", "STATE", "X"],
      [
        ["a", paint("green", "up"), "1"],
        ["longer", paint("red", "crashed")],
      ],
      "none",
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour is made of them
    expect(text.replace(/\u001b\[\d+m/g, "").split("\n")).toEqual([
      "NAME    STATE    X",
      "a       up       1",
      "longer  crashed",
    ]);
    expect(table(["A"], [], "nothing there")).toBe("nothing there");
  });

  test("facts are aligned at their values", () => {
    expect(
      facts([
        ["url", "x"],
        ["memory", "1G"],
      ]),
    ).toBe("url:    x\nmemory: 1G");
  });

  test("text of an app cannot move the cursor, but keeps its colours", () => {
    expect(plain("\u001b[31mred\u001b[0m\u001b[2J\u001b]0;title\u0007\rover\ttab")).toBe(
      "\u001b[31mred\u001b[0m[2J]0;titleover\ttab",
    );
  });
});

describe("what people write", () => {
  test.each([
    ["256M", 256],
    ["256", 256],
    ["1g", 1024],
    ["1.5GiB", 1536],
    ["2048K", 2],
    ["1T", 1_048_576],
    ["64mb", 64],
  ])("the size %s is %i MiB", (text, value) => expect(mebibytes(text, "x")).toBe(value));

  test.each(["", "M", "-1M", "0", "1X", "one", "1 M M", "100K"])("the size %j is refused", (text) => {
    expect(() => mebibytes(text, "--mem")).toThrow(/--mem: ".*" is no size/);
  });

  test("numbers are whole and within bounds", () => {
    expect(wholeNumber("7", "-i")).toBe(7);
    for (const text of ["1.5", "-1", "x", "", "1e3"]) expect(() => wholeNumber(text, "-i")).toThrow("-i");
    expect(() => wholeNumber("9", "-i", { max: 5 })).toThrow("at most 5");
  });

  test("assignments are split at the first =", () => {
    expect(assignment("A=b=c", "-e")).toEqual(["A", "b=c"]);
    expect(assignment("A=", "-e")).toEqual(["A", ""]);
    for (const text of ["A", "=b"]) expect(() => assignment(text, "-e")).toThrow("NAME=VALUE");
  });
});
