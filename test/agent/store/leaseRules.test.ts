import { describe, expect, test } from "vitest";
import { candidacy } from "../../../agent/store/leaseRules.ts";

const look = { revision: 7, mine: false, seen: undefined, at: 1000, patience: 300 };

describe("a candidate", () => {
  test("claims a lease that nobody holds", () => {
    expect(candidacy({ ...look, revision: 0 }).claim).toBe(true);
  });

  test("waits when it sees a holder for the first time, however old the entry may be", () => {
    expect(candidacy(look)).toEqual({ claim: false, seen: { revision: 7, since: 1000 } });
  });

  test("waits while the holder renews", () => {
    const seen = { revision: 6, since: 0 };
    expect(candidacy({ ...look, seen })).toEqual({ claim: false, seen: { revision: 7, since: 1000 } });
  });

  test("claims when nothing was renewed for as long as its patience lasts", () => {
    const seen = { revision: 7, since: 701 };
    expect(candidacy({ ...look, seen }).claim).toBe(false);
    expect(candidacy({ ...look, seen: { ...seen, since: 700 } }).claim).toBe(true);
  });

  test("claims at once what it holds already without having heard so", () => {
    expect(candidacy({ ...look, mine: true }).claim).toBe(true);
  });
});
