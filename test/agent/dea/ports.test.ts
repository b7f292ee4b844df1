import { expect, test } from "vitest";
import { ports } from "../../../agent/dea/ports.ts";

const range = { first: 10, last: 13 };
const rest = { normal: 100, late: 1000 };
const none: ReadonlySet<number> = new Set();

test("ports that were never used come first", () => {
  const pool = ports(range, rest);
  expect(pool.take(none, 0)).toBe(10);
  pool.release(10, true);
  pool.forgotten(10, 0);
  expect([pool.take(none, 500), pool.take(none, 500), pool.take(none, 500)]).toEqual([11, 12, 13]);
  expect(pool.take(new Set([11, 12, 13]), 500)).toBe(10);
});

test("a port rests until the routers were told, and a while longer", () => {
  const pool = ports({ first: 10, last: 10 }, rest);
  pool.take(none, 0);
  pool.release(10, true);
  expect(pool.take(none, 1e9)).toBeUndefined();
  pool.forgotten(10, 2000);
  expect(pool.take(none, 2099)).toBeUndefined();
  expect(pool.take(none, 2101)).toBe(10);
});

test("a port that became free while the bus was away rests the whole life of a route", () => {
  const pool = ports({ first: 10, last: 10 }, rest);
  pool.take(none, 0);
  pool.release(10, false);
  pool.forgotten(10, 2000);
  expect(pool.take(none, 2500)).toBeUndefined();
  expect(pool.take(none, 3001)).toBe(10);
});

test("what rests and what comes next outlive a restart", () => {
  const pool = ports(range, rest);
  pool.take(none, 0);
  pool.take(none, 0);
  pool.release(11, true);
  const again = ports(range, rest, pool.state);
  expect(again.take(none, 0)).toBe(12);
  expect(again.take(new Set([10, 12, 13]), 0)).toBeUndefined();
});

test("a saved state of another range is not followed", () => {
  const again = ports(range, rest, { next: 99, resting: [{ port: 98, late: false }] });
  expect(again.take(none, 0)).toBe(10);
  expect(again.state.resting).toEqual([]);
});

test("no port is handed out that somebody has", () => {
  const pool = ports(range, rest);
  expect(pool.take(new Set([10, 11]), 0)).toBe(12);
  expect(pool.take(new Set([10, 11, 12, 13]), 0)).toBeUndefined();
});
