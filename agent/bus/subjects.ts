import type { z } from "zod";
import * as m from "./messages.ts";
import type { Party, Subject } from "./subject.ts";

interface Row<P, R> {
  payload: z.ZodType<P>;
  reply?: z.ZodType<R>;
  speakers: readonly Party[];
  listeners: readonly Party[];
  queue?: string;
  what: string;
}

function row<P, R = never>(name: string, rest: Row<P, R>): Subject<P, R> {
  return { name, ...rest };
}

const everyone = ["controller", "dea", "health", "router", "stager", "core"] as const;
const registrars = ["controller", "dea"] as const;

/**
 * Every subject of the bus. From this table come the typed publish and subscribe, the reference in docs/bus.md, the
 * test that a live cluster speaks exactly the table of 2012, and the NATS permissions of each role.
 */
export const subjects = {
  announce: row("vcap.component.announce", {
    payload: m.announce,
    speakers: everyone,
    listeners: ["tool"],
    what: "once by every component when its status server listens",
  }),
  discover: row("vcap.component.discover", {
    payload: m.nothing,
    reply: m.announce,
    speakers: ["tool", "controller"],
    listeners: everyone,
    what: "who is there? Every component answers with its announcement and its uptime",
  }),
  deaStart: row("dea.start", {
    payload: m.deaHello,
    speakers: ["dea"],
    listeners: ["tool"],
    what: "a DEA has booted",
  }),
  deaStatus: row("dea.status", {
    payload: m.nothing,
    reply: m.deaStatus,
    speakers: ["tool", "controller"],
    listeners: ["dea"],
    what: "how full is every DEA?",
  }),
  deaDiscover: row("dea.discover", {
    payload: m.deaDiscover,
    reply: m.deaOffer,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "who can host this instance? DEAs with room answer, the emptiest first",
  }),
  deaLocate: row("dea.locate", {
    payload: m.nothing,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "a controller has booted: every DEA advertises itself now",
  }),
  deaAdvertise: row("dea.advertise", {
    payload: m.deaAdvertise,
    speakers: ["dea"],
    listeners: ["controller"],
    what: "what a DEA has free, every five beats and on each change",
  }),
  deaUuidStart: row("dea.{uuid}.start", {
    payload: m.deaStart,
    reply: m.startAnswer,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "start one instance here",
  }),
  deaStop: row("dea.stop", {
    payload: m.instanceFilter,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "stop the instances that match every filter given",
  }),
  deaUpdate: row("dea.update", {
    payload: m.deaUpdate,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "the complete new list of an app's routes",
  }),
  deaFindDroplet: row("dea.find.droplet", {
    payload: m.deaFind,
    reply: m.deaFound,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "where are the instances that match? One answer an instance",
  }),
  dropletStatus: row("droplet.status", {
    payload: m.nothing,
    reply: m.instanceStats,
    speakers: ["tool"],
    listeners: ["dea"],
    what: "what runs? One answer an instance of every app",
  }),
  deaHeartbeat: row("dea.heartbeat", {
    payload: m.deaHeartbeat,
    speakers: ["dea"],
    listeners: ["health"],
    what: "everything a DEA holds, each beat and on each change",
  }),
  dropletExited: row("droplet.exited", {
    payload: m.dropletExited,
    speakers: ["dea"],
    listeners: ["health", "controller"],
    what: "an instance has ended",
  }),
  deaShutdown: row("dea.shutdown", {
    payload: m.deaShutdown,
    speakers: ["dea"],
    listeners: ["controller"],
    what: "a DEA takes no more work",
  }),
  healthmanagerStart: row("healthmanager.start", {
    payload: m.nothing,
    speakers: ["health"],
    listeners: ["dea"],
    what: "a health manager has booted: every DEA sends a heartbeat now",
  }),
  dropletUpdated: row("droplet.updated", {
    payload: m.dropletUpdated,
    speakers: ["controller"],
    listeners: ["health"],
    what: "what is desired of an app has changed",
  }),
  healthmanagerHealth: row("healthmanager.health", {
    payload: m.hmHealth,
    reply: m.hmHealthReply,
    speakers: ["controller"],
    listeners: ["health"],
    what: "how many instances of these versions run? One answer an app",
  }),
  healthmanagerStatus: row("healthmanager.status", {
    payload: m.hmStatus,
    reply: m.hmStatusReply,
    speakers: ["controller"],
    listeners: ["health"],
    what: "which slots flap, or which instances crashed?",
  }),
  hmRequests: row("cloudcontrollers.hm.requests", {
    payload: m.hmRequest,
    speakers: ["health"],
    listeners: ["controller"],
    queue: "cc",
    what: "start what is missing, stop what is too much",
  }),
  hmRequestsPartition: row("cloudcontrollers.hm.requests.{partition}", {
    payload: m.hmRequest,
    speakers: [],
    listeners: ["controller"],
    queue: "cc",
    what: "the same from a later health manager",
  }),
  bulkCredentials: row("cloudcontroller.bulk.credentials", {
    payload: m.nothing,
    reply: m.bulkCredentials,
    speakers: ["health"],
    listeners: ["controller"],
    what: "the name and password of the bulk interface",
  }),
  bulkCredentialsPartition: row("cloudcontroller.bulk.credentials.{partition}", {
    payload: m.nothing,
    reply: m.bulkCredentials,
    speakers: [],
    listeners: ["controller"],
    what: "the same for a later health manager",
  }),
  routerRegister: row("router.register", {
    payload: m.routerRegister,
    speakers: registrars,
    listeners: ["router"],
    what: "this address serves these names",
  }),
  routerUnregister: row("router.unregister", {
    payload: m.routerRegister,
    speakers: registrars,
    listeners: ["router"],
    what: "this address serves these names no longer",
  }),
  routerStart: row("router.start", {
    payload: m.routerStart,
    speakers: ["router"],
    listeners: registrars,
    what: "a router has booted: everybody registers everything now",
  }),
  routerGreet: row("router.greet", {
    payload: m.nothing,
    reply: m.routerStart,
    speakers: [...registrars, "tool"],
    listeners: ["router"],
    what: "how often do the routers want to hear from me?",
  }),
  ccEvents: row("vcap.cc.events", {
    payload: m.ccEvent,
    speakers: ["controller"],
    listeners: ["tool"],
    what: "the audit trail of users and system",
  }),
  stager: row("vcap.stager.{queue}", {
    payload: m.stagingRequest,
    reply: m.stagingResult,
    speakers: ["controller"],
    listeners: ["stager"],
    queue: "vcap.stager.staging",
    what: "turn these bits into a droplet",
  }),
  staging: row("staging", {
    payload: m.stagingRequest,
    reply: m.stagingResult,
    speakers: [],
    listeners: ["stager"],
    queue: "staging",
    what: "the same from a later controller",
  }),
  stagingDone: row("cc.staging.{task}", {
    payload: m.stagingResult,
    speakers: ["stager"],
    listeners: ["controller"],
    what: "the droplet is there, or why not",
  }),
  log: row("tutti.v1.log.{app}", {
    payload: m.logLines,
    speakers: ["dea", "stager", "controller", "health"],
    listeners: ["controller"],
    what: "lines of an app's log",
  }),
  nodeBeat: row("tutti.v1.node", {
    payload: m.nodeBeat,
    speakers: ["node"],
    listeners: ["controller"],
    what: "a node with its roles and components, each beat",
  }),
  trace: row("tutti.v1.trace.{app}", {
    payload: m.nothing,
    reply: m.traceReply,
    speakers: ["controller"],
    listeners: ["core"],
    what: "what the bus said about an app lately",
  }),
} as const;
