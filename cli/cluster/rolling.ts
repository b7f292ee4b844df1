import { setTimeout as sleep } from "node:timers/promises";
import { readResult } from "../../cloudinit/journal.ts";
import { type Hands, immediate, rollingUp, type Turn } from "../../infra/run/rolling.ts";
import type { Ended, Watch } from "../../infra/run.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { machinesBoot } from "./offline/place.ts";
import type { Work } from "./work.ts";

export interface Rolling extends Watch {
  readonly call: Call;
  readonly note: (line: string) => void;
}

const minute = 60_000;
/** A machine that installs its packages first may take its time. */
const patience = 20 * minute;

/** `up`, with the nodes that are replaced one after the other: a role loses no more than one at a time. */
export async function roll({ site, spec, offline }: Work, { call, note, ...watch }: Rolling): Promise<Ended> {
  const boots = !offline || machinesBoot(call.io.env);
  const words: Record<keyof Hands, (turn: Turn) => string> = {
    ready: ({ node, instance }) => `${node}: waiting until ${instance} is ready`,
    drain: ({ node, instance }) => `${node}: ${instance} goes now; what runs on it starts on other nodes`,
  };
  return await rollingUp(site, {
    ...watch,
    spec,
    hands: boots ? byConsole(call, spec.aws?.region) : immediate,
    find: () => machinesOf(call, spec.name, site.stack),
    onTurn: (what, turn) => note(words[what](turn)),
  });
}

// AWS's libraries take a third of a second to read: only those who ask it anything pay for them.
const asking = async () => ({
  ...(await import("../ground/account.ts")),
  ...(await import("../../infra/inventory.ts")),
  ...(await import("../../infra/inventoryEc2.ts")),
});

async function machinesOf(call: Call, cluster: string, stack: string) {
  const { withAccount, findMachines } = await asking();
  const found = await withAccount(call, (account) => findMachines(account, cluster));
  return found.filter((one) => one.stack === stack);
}

/**
 * Ready is what a machine's own boot script says on its console, which can be read before anybody can log in. Draining
 * is left to the cluster: instances of a machine that goes are started elsewhere within a few beats.
 */
function byConsole(call: Call, region: string | undefined): Hands {
  const inRegion = { ...call, text: (name: string) => (name === "region" ? region : call.text(name)) };
  return {
    async ready(turn, stop) {
      const { withAccount, consoleOf } = await asking();
      const deadline = Date.now() + patience;
      for (;;) {
        const text = await withAccount(inRegion, (account) => consoleOf(account, turn.instance));
        const result = readResult(text);
        if (result?.state === "done") return;
        if (result?.state === "failed") throw notReady(turn, `its boot step ${result.step} failed`);
        if (Date.now() > deadline) throw notReady(turn, `it was not ready within ${patience / minute} minutes`);
        await sleep(2000, undefined, { signal: stop });
      }
    },
    drain: async () => {},
  };
}

function notReady({ node, instance }: Turn, why: string): Fault {
  return new Fault(`${node}: the new machine ${instance} does not do its work: ${why}; the old one stays`, {
    code: "not_ready",
    hint: `tutti node console ${instance} shows its boot; mend it and run the same again`,
  });
}
