import { describe, expect, test } from "vitest";
import type { Call } from "../../../../agent/controller/api/api.ts";
import { ApiError } from "../../../../agent/controller/api/errors.ts";
import { by, list, select } from "../../../../agent/controller/api/list.ts";

interface One {
  guid: string;
  created_at: string;
  updated_at: string;
  name: string;
  labels: Record<string, string>;
}

const one = (name: string, second: number, labels = {}): One => {
  const at = `2026-01-01T00:00:0${second}.${second}00Z`;
  return { guid: `guid-${name}`, created_at: at, updated_at: at, name, labels };
};
const all = [one("c", 1, { env: "prod" }), one("a", 2, { env: "test" }), one("b,x", 3)];
const listing = {
  filters: { names: by((each: One) => each.name) },
  orders: { name: (each: One) => each.name },
  labels: (each: One) => each.labels,
};
const names = (query: Record<string, string>) => select(all, query, listing).map(({ name }) => name);
const refusal = (query: Record<string, string>) => {
  try {
    names(query);
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.code} ${error.message}`;
  }
  return "not refused";
};

describe("a list", () => {
  test("is in the order of creation, unless the query says otherwise", () => {
    expect(names({})).toEqual(["c", "a", "b,x"]);
    expect(names({ order_by: "-created_at" })).toEqual(["b,x", "a", "c"]);
    expect(names({ order_by: "name" })).toEqual(["a", "b,x", "c"]);
    expect(names({ order_by: "-name" })).toEqual(["c", "b,x", "a"]);
  });

  test("is filtered by one of several values, and a comma in a value is encoded once more", () => {
    expect(names({ names: "a,c" })).toEqual(["c", "a"]);
    expect(names({ names: "b%2Cx" })).toEqual(["b,x"]);
    expect(names({ guids: "guid-a" })).toEqual(["a"]);
    expect(names({ names: "" })).toEqual([]);
  });

  test("is filtered by time: equal, before and after", () => {
    expect(names({ created_ats: "2026-01-01T00:00:02Z" })).toEqual(["a"]);
    expect(names({ "created_ats[gt]": "2026-01-01T00:00:01Z" })).toEqual(["a", "b,x"]);
    expect(names({ "updated_ats[lte]": "2026-01-01T00:00:02Z" })).toEqual(["c", "a"]);
    expect(refusal({ created_ats: "yesterday" })).toMatch(/invalid timestamp/);
  });

  test("is filtered by labels", () => {
    expect(names({ label_selector: "env" })).toEqual(["c", "a"]);
    expect(names({ label_selector: "!env" })).toEqual(["b,x"]);
    expect(names({ label_selector: "env=prod" })).toEqual(["c"]);
    expect(names({ label_selector: "env!=prod" })).toEqual(["a", "b,x"]);
    expect(names({ label_selector: "env in (prod,test),env notin (test)" })).toEqual(["c"]);
    expect(refusal({ label_selector: "env prod" })).toMatch(/Invalid label_selector/);
  });

  test("refuses what it does not know, as Cloud Foundry does", () => {
    expect(refusal({ colour: "red", names: "a" })).toMatch(
      /^400 10005 The query parameter is invalid: Unknown query parameter\(s\): 'colour'\. Valid parameters are: 'page'/,
    );
    expect(refusal({ order_by: "colour" })).toMatch(/Order by can only be: 'created_at', 'updated_at', 'name'/);
    expect(refusal({ order_by: "constructor" })).toMatch(/Order by/);
  });
});

describe("a page", () => {
  const page = (query: Record<string, string>) => {
    const request = { url: "/v3/things?x=y" } as Call["request"];
    return list(all, { base: "http://api", query, request } as Call, { listing, show: ({ name }) => name });
  };

  test("knows its neighbours, and links keep the filters", () => {
    const { pagination, resources } = page({ page: "2", per_page: "1", order_by: "name" });
    expect(resources).toEqual(["b,x"]);
    expect(pagination).toEqual({
      total_results: 3,
      total_pages: 3,
      first: { href: "http://api/v3/things?page=1&per_page=1&order_by=name" },
      last: { href: "http://api/v3/things?page=3&per_page=1&order_by=name" },
      next: { href: "http://api/v3/things?page=3&per_page=1&order_by=name" },
      previous: { href: "http://api/v3/things?page=1&per_page=1&order_by=name" },
    });
  });

  test("has no next one when it is the last, and an empty list has one page", () => {
    expect(page({}).pagination).toMatchObject({ total_pages: 1, next: null, previous: null });
    expect(page({ names: "none" }).pagination).toMatchObject({ total_results: 0, total_pages: 1 });
    expect(page({ page: "9" }).resources).toEqual([]);
  });

  test("is refused when it is none", () => {
    const wrong: Record<string, string>[] = [
      { page: "0" },
      { page: "x" },
      { per_page: "0" },
      { per_page: "5001" },
      { per_page: "-1" },
    ];
    for (const query of wrong) expect(() => page(query), JSON.stringify(query)).toThrow(ApiError);
    expect(page({ per_page: "5000" }).resources).toHaveLength(3);
  });
});
