import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dialed } from "../bus/nats.ts";
import { publicKeyOf } from "../bus/nkeys.ts";
import type { Tls } from "../bus/web.ts";
import { Fault } from "../run/fault.ts";
import type { Log } from "../run/log.ts";
import { readAuthority } from "./authority.ts";
import { certificateKeeper } from "./certificateKeeper.ts";
import type { Cluster } from "./cluster.ts";
import { clusterDuties } from "./clusterDuties.ts";
import { type Configured, configuration, writeConfiguration } from "./configuration.ts";
import { refuseToGrow } from "./grown.ts";
import { parties } from "./keys.ts";
import { readKnowledge, writeKnowledge } from "./knowledge.ts";
import { admitted } from "./members.ts";
import type { Duties } from "./onBus.ts";
import { openPort } from "./port.ts";
import { type Reloads, reloads } from "./reloads.ts";
import { roster } from "./roster.ts";
import type { ServerLines } from "./serverLines.ts";

export interface JoinedCoreOptions {
  cluster: Cluster;
  configured: Configured;
  lines: ServerLines;
  /** Of the running server. */
  pid: () => number;
  home: string;
  /** Milliseconds. */
  beat: number;
  log: Log;
}

/** What a core is beyond a server of its own, in a cluster of several machines. */
export interface JoinedCore {
  readonly reloads: Reloads;
  /** What its status server shows. */
  readonly tls: Tls;
  duties(dialed: Dialed): Duties;
}

/** Rejects with a Fault when the node has no identity, or another cluster's, or cannot meet the other cores. */
export async function joinedCore(options: JoinedCoreOptions): Promise<JoinedCore> {
  const { cluster, configured, lines, pid, home, beat, log } = options;
  const { address, credentials, files } = configured;
  const authority = await readAuthority(cluster);
  await ableToMeet(cluster, address, files.store);
  const [caFile, knownFile] = [join(home, "ca.pem"), join(home, "members.json")];
  await writeFile(caFile, cluster.ca, { mode: 0o600 });
  const keeper = await certificateKeeper({ authority, identity: cluster.identity, node: cluster.node, address });
  const list = roster({ known: await readKnowledge(knownFile), beat, log, onChange: () => void reloading.want() });
  const reserved = new Set(parties.map((party) => publicKeyOf(credentials.seeds[party])));
  const reloading = reloads({
    text() {
      const joined = { cluster, authority, certificate: keeper.certificate, caFile };
      return configuration({ ...configured, joined }, admitted(list.knowledge, reserved));
    },
    async write(next) {
      await writeConfiguration(files, next);
      await writeKnowledge(knownFile, list.knowledge);
    },
    signal: () => hangUp(pid()),
    ...{ lines, beat, log },
  });
  const facts = { authority, cluster, roster: list, reserved, settled: () => reloading.want(), beat, log };
  const more = () => ({ nats_reloads: reloading.count, members: list.knowledge.members.size });
  return {
    reloads: reloading,
    tls: keeper.tls,
    duties: (dialed) => clusterDuties({ ...facts, dialed, keeper, varz: more }),
  };
}

async function ableToMeet({ cores, routes }: Cluster, address: string, store: string): Promise<void> {
  if (cores.every((core) => core === address)) return;
  if (routes === 0)
    throw new Fault("several cores need a port at which they meet", {
      code: "no_routes_port",
      hint: "set ports.routes in node.json, the same on every core: 6222 by custom",
    });
  await refuseToGrow(store);
  await openPort({ address, port: routes, setting: "ports.routes" });
}

function hangUp(pid: number) {
  if (pid > 1) process.kill(pid, "SIGHUP");
}
