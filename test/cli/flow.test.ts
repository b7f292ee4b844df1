import { describe, expect, test } from "vitest";
import { latestDeployment, marks } from "../../cli/flow.ts";
import type { Line } from "../../cli/logcache.ts";

const message = (at: number, subject: string) => ({ at, subject, what: subject });
const line = (ms: number, source: string, text: string): Line => ({
  at: BigInt(ms) * 1_000_000n,
  source,
  text,
  instance: "0",
  err: false,
});

const spoken = [
  message(100, "vcap.stager.staging"),
  message(900, "dea.discover"),
  message(905, "dea.4f5e6d.start"),
  message(906, "dea.heartbeat"),
  message(1200, "router.register"),
  message(1300, "dea.find.droplet"),
];
const said = [
  line(150, "STG", "Framework: nodejs (there is a package.json)"),
  line(700, "STG", "Packed the droplet: 1.2 MiB in 0.20 s"),
  line(750, "STG", "Uploaded the droplet abc"),
  line(910, "CELL", "Starting instance 0"),
  line(1190, "CELL", "Instance 0 is running after 0.3 s on port 61001"),
  line(1195, "APP/PROC/WEB", "Framework: of mine"),
];

describe("the deployment flow", () => {
  test("is read out of what went over the bus and what was said", () => {
    expect(marks(spoken, said).map(({ step, at }) => [step, at])).toEqual([
      [3, 100],
      [2, 150],
      [4, 500],
      [5, 750],
      [6, 900],
      [7, 905],
      [8, 910],
      [9, 1190],
      [10, 1200],
    ]);
  });

  test("takes the DEA's word for a droplet in place over its word for a beginning", () => {
    const deployed = [...said, line(1000, "CELL", "Droplet deployed in 0.1 s")];
    expect(marks(spoken, deployed).find(({ step }) => step === 8)?.at).toBe(1000);
  });

  test("leaves out what was before it", () => {
    expect(marks(spoken, said, 900).map(({ step }) => step)).toEqual([6, 7, 8, 9, 10]);
    expect(marks([], [])).toEqual([]);
  });

  test("begins with the last staging, or the last search for a DEA", () => {
    expect(latestDeployment([...spoken, message(5000, "vcap.stager.staging"), message(5100, "dea.discover")])).toBe(
      5000,
    );
    expect(latestDeployment([message(7, "dea.discover"), message(9, "dea.discover")])).toBe(9);
    expect(latestDeployment([])).toBe(0);
  });
});
