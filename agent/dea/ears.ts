import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { resay, sayAdopted } from "./adopting.ts";
import { listenToAll } from "./answers.ts";
import type { Cell } from "./cell.ts";
import { hello } from "./payloads.ts";
import { advertise, beatHeart } from "./voice.ts";

/** Hears and answers, says hello, and says everything again when the bus comes back. */
export function ears(cell: Cell): Runner {
  const { bus, self } = cell;
  return {
    name: "ears",
    async run(stop, ready) {
      const heard = listenToAll(cell);
      const unwatch = bus.onConnection((connected) => {
        if (!connected) return;
        resay(cell);
        beatHeart(cell);
        advertise(cell);
        greet(cell);
      });
      cell.silent = false;
      bus.publish(subjects.deaStart, hello(self));
      sayAdopted(cell);
      greet(cell);
      ready();
      await stopped(stop);
      unwatch();
      for (const one of heard) one.stop();
    },
  };
}

function greet(cell: Cell): void {
  const asked = cell.bus.request(subjects.routerGreet, {}, { timeout: 2 * cell.settings.beat });
  asked.then((start) => start && cell.routes.heard(start)).catch(() => {});
}
