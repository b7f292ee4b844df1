import { describe, expect, test } from "vitest";
import { ignoring } from "../../cli/ignore.ts";

const left = (rules: string, path: string, directory = false) => ignoring(rules)(path, directory);

describe("what is left behind", () => {
  test.each([
    ["*.log", "a.log", true],
    ["*.log", "deep/er/a.log", true],
    ["*.log", "a.logs", false],
    ["/build", "build", true],
    ["/build", "src/build", false],
    ["docs/*.md", "docs/a.md", true],
    ["docs/*.md", "docs/x/a.md", false],
    ["docs/**/a.md", "docs/x/y/a.md", true],
    ["docs/**/a.md", "docs/a.md", true],
    ["**/tmp", "tmp", true],
    ["**/tmp", "a/b/tmp", true],
    ["tmp/**", "tmp/a/b", true],
    ["tmp/**", "tmp", false],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["[a-c].txt", "b.txt", true],
    ["[!a-c].txt", "b.txt", false],
    ["\\#x", "#x", true],
    ["\\!x", "!x", true],
    ["# comment", "# comment", false],
    ["a.b", "axb", false],
    ["x  ", "x", true],
    ["x\r", "x", true],
  ])("the rule %j and the file %s: %s", (rule, path, expected) => {
    expect(left(rule, path)).toBe(expected);
  });

  test("a rule with a slash at its end means directories only", () => {
    expect(left("logs/", "logs", true)).toBe(true);
    expect(left("logs/", "logs", false)).toBe(false);
    expect(left("logs/", "a/logs", true)).toBe(true);
  });

  test("a later exception takes a file back, a later rule takes it away again", () => {
    expect(left("*.env\n!keep.env", "keep.env")).toBe(false);
    expect(left("*.env\n!keep.env\nkeep.*", "keep.env")).toBe(true);
  });

  test("version control, ignore files and the manifest never travel, node_modules and lock files do", () => {
    expect(
      [".git", "a/.git", ".svn", ".DS_Store", "x/.DS_Store", ".cfignore", "manifest.yml"].map((path) => left("", path)),
    ).not.toContain(false);
    expect(
      ["node_modules", "package-lock.json", "sub/manifest.yml", ".env", ".gitattributes"].map((path) => left("", path)),
    ).not.toContain(true);
  });

  test("even what always stays behind can be asked for", () => {
    expect(left("!/manifest.yml", "manifest.yml")).toBe(false);
  });
});
