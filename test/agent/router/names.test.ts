import { describe, expect, it } from "vitest";
import { isToken, routeName } from "../../../agent/router/names.ts";

describe("a route's name", () => {
  it.each([
    ["Hello.Example.TEST", "hello.example.test", "hello.example.test", ""],
    ["hello.example.test/", "hello.example.test", "hello.example.test", ""],
    ["hello.example.test/A/b/", "hello.example.test/a/b", "hello.example.test", "/a/b"],
    ["hello.example.test/a?secret=1", "hello.example.test/a", "hello.example.test", "/a"],
    ["*.example.test", "*.example.test", "*.example.test", ""],
    ["*.example.test/api", "*.example.test/api", "*.example.test", "/api"],
    ["localhost", "localhost", "localhost", ""],
    ["my_app-1.example.test", "my_app-1.example.test", "my_app-1.example.test", ""],
  ])("%s is understood", (uri, name, host, path) => {
    expect(routeName(uri)).toEqual({ name, host, path });
  });

  it.each([
    ["", "nothing"],
    ["/path", "no host"],
    ["a b.test", "a blank"],
    ["a.test\nshutdown sessions", "a line end"],
    ["a.test;shutdown", "a semicolon"],
    ["a.test/x;y", "a semicolon in the path"],
    ['a"b.test', "a quote"],
    ["a'b.test", "an apostrophe"],
    ["a\\b.test", "a backslash"],
    ["#a.test", "a comment"],
    ["a.test/#x", "a fragment"],
    ["a.test\0", "a NUL"],
    ["a.test/\u00e4", "a letter outside ASCII"],
    ["a.*.test", "a star in the middle"],
    ["*", "a star alone"],
    ["a..test", "an empty label"],
    ["-a.test", "a label that begins with a dash"],
    ["a.test:8080", "a port"],
    ["a.test//b", "an empty segment"],
    ["a.test/../b", "a step up"],
    ["a.test/./b", "a step nowhere"],
    [`${"a".repeat(64)}.test`, "a label too long"],
    [`a.test/${"b".repeat(1100)}`, "more than HAProxy's line can take"],
    ["<<", "the mark of a payload"],
    ["@1.test", "the mark of a version"],
  ])("%j is refused: %s", (uri) => {
    expect(routeName(uri)).toBeUndefined();
  });
});

describe("an id", () => {
  it("is letters, digits and a few marks, and nothing that a command or a header would stumble over", () => {
    expect(isToken("5d0f6ad3-a31b_4d0e.8")).toBe(true);
    for (const bad of ["", "a b", "a;b", "a\nb", "a/b", "a%[b]", "a:b", "x".repeat(129)])
      expect(isToken(bad)).toBe(false);
  });
});
