import { Agent, createServer, get } from "node:http";
import { subjects } from "../../agent/bus/subjects.ts";
import { until } from "../support/solo.ts";
import { type Ground, ground, registerAll } from "./ground.ts";
import { type Benchmark, percentile } from "./harness.ts";

const samples = 500;

/** `router.register` on the bus → the first 200 of that name, asked for on an open connection without pause. */
export const register: Benchmark = {
  name: "register",
  what: "router.register → first 200, with 10,000 routes in the table",
  async run(tell) {
    const backend = createServer((_asked, answer) => answer.end("ok"));
    await new Promise<void>((resolve) => backend.listen(0, "0.0.0.0", resolve));
    const address = backend.address();
    const backendPort = typeof address === "object" && address ? address.port : 0;
    const place = await ground();
    try {
      registerAll(place.bus, {
        ports: [backendPort],
        names: Array.from({ length: 10_000 }, (_, n) => `r${n}.bench.test`),
      });
      await until(
        () => ask(place, "r9999.bench.test"),
        (status) => status === 200,
      );
      tell("10,000 routes are there");
      const times: number[] = [];
      for (let i = 0; i < samples; i++) times.push(await sample(place, backendPort, i));
      return [
        {
          name: "register → 200 at 10,000 routes, p50",
          value: percentile(times, 0.5),
          unit: "ms",
          goal: { atMost: 5 },
        },
        {
          name: "register → 200 at 10,000 routes, p99",
          value: percentile(times, 0.99),
          unit: "ms",
          goal: { atMost: 20 },
        },
      ];
    } finally {
      await place.remove();
      backend.closeAllConnections();
      backend.close();
    }
  },
};

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask({ port }: Ground, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent, headers: { host } }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    }).once("error", reject);
  });
}

async function sample(place: Ground, port: number, i: number): Promise<number> {
  const host = `fresh${i}.bench.test`;
  const began = performance.now();
  const app = `fresh-${i}`;
  // Every app has a backend of its own address: 127.1.0.0/16 is all loopback.
  const at = `127.1.${i >> 8}.${i & 255}`;
  place.bus.publish(subjects.routerRegister, { host: at, port, uris: [host], app, tags: {}, private_instance_id: app });
  while ((await ask(place, host)) !== 200);
  const took = performance.now() - began;
  place.bus.publish(subjects.routerUnregister, { host: at, port, uris: [host], app, tags: {} });
  return took;
}
