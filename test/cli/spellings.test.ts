import { describe, expect, test } from "vitest";
import { respelled } from "../../cli/spellings.ts";
import { near } from "../../roles/near.ts";

const ours = (line: string) => respelled(line.split(" "))?.argv.join(" ");

describe("the words of stackato and kato", () => {
  test.each([
    ["instances hello", "app hello"],
    ["stats hello", "app hello"],
    ["health", "status"],
    ["crashlogs hello", "logs hello --recent"],
    ["tail hello --recent", "logs hello --recent"],
    ["mem hello 256M", "scale hello --mem 256M"],
    ["mem hello", "scale hello"],
    ["env-add hello A b", "set-env hello A b"],
    ["-o acme env-del hello A", "-o acme unset-env hello A"],
    ["node ls", "node list"],
    ["process status", "process list"],
    ["ps", "process list"],
    ["api http://x", "target http://x"],
  ])("%s is %s", (old, now) => expect(ours(old)).toBe(now));

  test.each(["push hello", "node list", "", "--help", "app mem"])("%j is left as it is", (line) => {
    expect(ours(line)).toBeUndefined();
  });

  test("are told in ours once", () => {
    expect(respelled(["mem", "hello", "1G"])?.hint).toBe('"mem" is "scale … --mem …" here');
  });
});

test("a slip of the finger finds the word, nonsense does not", () => {
  expect(near("helo", ["hello", "world"])).toBe("hello");
  expect(near("Hello", ["hello"])).toBe("hello");
  expect(near("xyz", ["hello", "world"])).toBeUndefined();
  expect(near("x", [])).toBeUndefined();
});
