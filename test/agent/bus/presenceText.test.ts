import { describe, expect, test } from "vitest";
import { metricsText, startText, uptimeText } from "../../../agent/bus/presenceText.ts";
import { atMostEvery } from "../../../agent/bus/varz.ts";

describe("what a presence tells", () => {
  test("counts uptime in days, hours, minutes and seconds", () => {
    expect(uptimeText(((3 * 60 + 12) * 60 + 9) * 1000)).toBe("0d:3h:12m:9s");
    expect(uptimeText(400 * 86_400_000 + 999)).toBe("400d:0h:0m:0s");
    expect(uptimeText(-5)).toBe("0d:0h:0m:0s");
  });

  test("writes the start as collectors have always read it", () => {
    expect(startText(Date.UTC(2012, 4, 1, 12))).toBe("2012-05-01 12:00:00 +0000");
  });

  test("names nested numbers by their path and leaves out what is no number", () => {
    const text = metricsText({
      type: 'a"b',
      index: 0,
      "latency-ms": { p50: 1.5, bad: Number.NaN },
      list: [1],
      text: "x",
    });
    expect(text).toBe('# TYPE tutti_latency_ms_p50 gauge\ntutti_latency_ms_p50{component="a\\"b",index="0"} 1.5\n');
  });

  test("is made anew only when it is old enough", () => {
    let [now, made] = [0, 0];
    const fresh = atMostEvery(
      1000,
      () => ++made,
      () => now,
    );
    const seen = [0, 999, 1000, 1500, 2000].map((at) => {
      now = at;
      return fresh();
    });
    expect(seen).toEqual([1, 1, 2, 2, 3]);
  });
});
