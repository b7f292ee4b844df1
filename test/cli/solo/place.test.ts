import { join } from "node:path";
import { expect, it } from "vitest";
import { placeOf, prepare } from "../../../cli/solo/place.ts";

it("a home that is named from where one stands is the same from everywhere", () => {
  expect(placeOf({ TUTTI_HOME: "here" }).home).toBe(join(process.cwd(), "here", "solo"));
});

it("a home that cannot be made is told with its path", () => {
  expect(() => prepare(placeOf({ TUTTI_HOME: "/dev/null/x" }))).toThrow(/\/dev\/null\/x\/solo cannot be made/);
});
