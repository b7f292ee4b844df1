/** Who publishes and who hears what, as the cluster of 2012 did: 52 pairs. */
export const pairs: Readonly<Record<string, { publishes: readonly string[]; hears: readonly string[] }>> = {
  controller: {
    publishes: [
      "dea.discover",
      "dea.find.droplet",
      "dea.locate",
      // The old list says "dea.start", short for the start command to one DEA; the bare subject is the DEA's own hello.
      "dea.{uuid}.start",
      "dea.stop",
      "dea.update",
      "droplet.updated",
      "healthmanager.health",
      "healthmanager.status",
      "router.register",
      "router.unregister",
      "vcap.cc.events",
      "vcap.component.announce",
      "vcap.stager.{queue}",
    ],
    hears: [
      "cloudcontroller.bulk.credentials",
      "cloudcontrollers.hm.requests",
      "dea.advertise",
      "router.start",
      "vcap.component.discover",
    ],
  },
  dea: {
    publishes: [
      "dea.advertise",
      "dea.heartbeat",
      "dea.start",
      "droplet.exited",
      "router.register",
      "router.unregister",
      "vcap.component.announce",
    ],
    hears: [
      "dea.discover",
      "dea.find.droplet",
      "dea.locate",
      "dea.status",
      "dea.stop",
      "dea.update",
      "dea.{uuid}.start",
      "droplet.status",
      "healthmanager.start",
      "router.start",
      "vcap.component.discover",
    ],
  },
  health: {
    publishes: ["cloudcontrollers.hm.requests", "healthmanager.start", "vcap.component.announce"],
    hears: [
      "dea.heartbeat",
      "droplet.exited",
      "droplet.updated",
      "healthmanager.health",
      "healthmanager.status",
      "vcap.component.discover",
    ],
  },
  router: {
    publishes: ["router.start", "vcap.component.announce"],
    hears: ["router.register", "router.unregister", "vcap.component.discover"],
  },
  stager: { publishes: [], hears: ["vcap.stager.{queue}"] },
};

export interface Spoken {
  component: string;
  verb: "publishes" | "hears";
  subject: string;
}

/** What one line of the bus server's trace says, if it is about our subjects: who, by the name of the connection. */
export function spoken(line: string): Spoken | undefined {
  const match = /"[^"]*:([a-z]+)(?:-[^":]*)?" - (?:"[^"]*" - )?<<- \[(PUB|HPUB|SUB) (\S+)/.exec(line);
  const [, component = "", verb, subject = ""] = match ?? [];
  if (!verb || /^(_INBOX|\$)/.test(subject)) return undefined;
  return { component, verb: verb === "SUB" ? "hears" : "publishes", subject: general(subject) };
}

/** A concrete subject as the table names it. */
function general(subject: string): string {
  return subject
    .replace(/^dea\.(?!find\.)[^.]+\.start$/, "dea.{uuid}.start")
    .replace(/^vcap\.stager\.[^.]+$/, "vcap.stager.{queue}")
    .replace(/^cloudcontrollers\.hm\.requests\.[^.]+$/, "cloudcontrollers.hm.requests.{partition}")
    .replace(/^cloudcontroller\.bulk\.credentials\.[^.]+$/, "cloudcontroller.bulk.credentials.{partition}")
    .replace(/^cc\.staging\..+$/, "cc.staging.{task}")
    .replace(/^tutti\.v1\.(log|trace)\..+$/, "tutti.v1.$1.{app}")
    .replace(/^tutti\.v1\.node\.[^.]+\.(wish|roles|renew)$/, "tutti.v1.node.{node}.$1");
}
