import type { Dialed } from "../bus/nats.ts";
import { every } from "../run/every.ts";
import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { keepCopies } from "../store/copies.ts";
import { jetstreamStore } from "../store/jetstream.ts";
import type { CertificateKeeper } from "./certificateKeeper.ts";
import { copies } from "./cluster.ts";
import { doorkeeper } from "./doorkeeper.ts";
import type { OfficeOptions } from "./office.ts";
import type { Duties } from "./onBus.ts";
import { pulse } from "./pulse.ts";
import { steward } from "./steward.ts";
import { voucher } from "./voucher.ts";
import { wishing } from "./wishing.ts";

export interface ClusterDutiesOptions extends Omit<OfficeOptions, "bus" | "store" | "pulse"> {
  dialed: Dialed;
  keeper: CertificateKeeper;
  varz: () => Record<string, unknown>;
}

// Beats. A certificate is renewed months before it is needed.
const [often, seldom] = [30, 3600];

/** What a core does for the others in a cluster of several machines. */
export function clusterDuties({ dialed, keeper, varz, ...facts }: ClusterDutiesOptions): Duties {
  const { cluster, roster, settled, beat, log } = facts;
  const { bus, connection } = dialed;
  const replicas = copies(cluster.cores);
  const store = jetstreamStore(connection, { replicas, log });
  const office = { ...facts, bus, store, pulse: pulse({ beat, now: () => performance.now() }) };
  const [door, speaking] = [doorkeeper(office), voucher({ ...office, connection })];
  const renewing = again("certificate of the core", { interval: seldom * beat, log }, async () => {
    if (!(await keeper.renew())) return;
    log.info({}, "the core has a new certificate");
    await settled();
  });
  const copying = again("copies of the store", { interval: often * beat, log }, async () => {
    for (const { stream, from } of await keepCopies(connection, replicas))
      log.info({ stream, from, to: replicas }, "the store is kept on another number of cores");
  });
  const offices = [speaking.runner, door.runner, wishing(office), steward(office), renewing];
  return {
    runners: [...offices, roster.following(store), copying],
    varz: () => ({
      ...varz(),
      ...{ admitted_nodes: door.counts.admitted, refused_nodes: door.counts.refused },
      ...{ vouched_messages: speaking.counts.vouched, refused_messages: speaking.counts.refused },
    }),
  };
}

function again(name: string, { interval, log }: { interval: number; log: Log }, turn: () => unknown): Runner {
  return every(name, { interval, onError: (error) => log.debug({ error: String(error) }, `${name}: not now`) }, turn);
}
