import { membershipRows } from "./membershipRows.ts";
import * as component from "./messages/component.ts";
import * as health from "./messages/health.ts";
import * as instance from "./messages/instance.ts";
import * as placement from "./messages/placement.ts";
import * as router from "./messages/router.ts";
import * as staging from "./messages/staging.ts";
import * as values from "./messages/values.ts";
import { row } from "./subject.ts";

const everyone = ["controller", "dea", "health", "router", "stager", "core"] as const;
const registrars = ["controller", "dea"] as const;

/**
 * Every subject of the bus. From this table come the typed publish and subscribe, the reference in docs/bus.md, the
 * test that a live cluster speaks exactly the table of 2012, and the NATS permissions of each role.
 */
export const subjects = {
  announce: row("vcap.component.announce", {
    payload: component.announce,
    speakers: everyone,
    listeners: ["tool"],
    what: "once by every component when its status server listens",
  }),
  discover: row("vcap.component.discover", {
    payload: values.nothing,
    reply: component.announce,
    speakers: ["tool", "controller"],
    listeners: everyone,
    what: "who is there? Every component answers with its announcement and its uptime",
  }),
  deaStart: row("dea.start", {
    payload: placement.deaHello,
    speakers: ["dea"],
    listeners: ["tool"],
    of: "dea",
    what: "a DEA has booted",
  }),
  deaStatus: row("dea.status", {
    payload: values.nothing,
    reply: placement.deaStatus,
    speakers: ["tool", "controller"],
    listeners: ["dea"],
    what: "how full is every DEA?",
  }),
  deaDiscover: row("dea.discover", {
    payload: placement.deaDiscover,
    reply: placement.deaOffer,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "who can host this instance? DEAs with room answer, the emptiest first",
  }),
  deaLocate: row("dea.locate", {
    payload: values.nothing,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "a controller has booted: every DEA advertises itself now",
  }),
  deaAdvertise: row("dea.advertise", {
    payload: placement.deaAdvertise,
    speakers: ["dea"],
    listeners: ["controller"],
    of: "dea",
    what: "what a DEA has free, every five beats and on each change",
  }),
  deaUuidStart: row("dea.{uuid}.start", {
    payload: instance.deaStart,
    reply: instance.startAnswer,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "start one instance here",
  }),
  deaStop: row("dea.stop", {
    payload: instance.instanceFilter,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "stop the instances that match every filter given",
  }),
  deaUpdate: row("dea.update", {
    payload: instance.deaUpdate,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "the complete new list of an app's routes",
  }),
  deaFindDroplet: row("dea.find.droplet", {
    payload: instance.deaFind,
    reply: instance.deaFound,
    speakers: ["controller"],
    listeners: ["dea"],
    what: "where are the instances that match? One answer an instance",
  }),
  dropletStatus: row("droplet.status", {
    payload: values.nothing,
    reply: instance.instanceStats,
    speakers: ["tool"],
    listeners: ["dea"],
    what: "what runs? One answer an instance of every app",
  }),
  deaHeartbeat: row("dea.heartbeat", {
    payload: instance.deaHeartbeat,
    speakers: ["dea"],
    listeners: ["health"],
    of: "dea",
    what: "everything a DEA holds, each beat and on each change",
  }),
  dropletExited: row("droplet.exited", {
    payload: instance.dropletExited,
    speakers: ["dea"],
    listeners: ["health", "controller"],
    of: "dea",
    what: "an instance has ended",
  }),
  deaShutdown: row("dea.shutdown", {
    payload: placement.deaShutdown,
    speakers: ["dea"],
    listeners: ["controller"],
    of: "dea",
    what: "a DEA takes no more work",
  }),
  healthmanagerStart: row("healthmanager.start", {
    payload: values.nothing,
    speakers: ["health"],
    listeners: ["dea"],
    what: "a health manager has booted: every DEA sends a heartbeat now",
  }),
  dropletUpdated: row("droplet.updated", {
    payload: health.dropletUpdated,
    speakers: ["controller"],
    listeners: ["health"],
    what: "what is desired of an app has changed",
  }),
  healthmanagerHealth: row("healthmanager.health", {
    payload: health.hmHealth,
    reply: health.hmHealthReply,
    speakers: ["controller"],
    listeners: ["health"],
    what: "how many instances of these versions run? One answer an app",
  }),
  healthmanagerStatus: row("healthmanager.status", {
    payload: health.hmStatus,
    reply: health.hmStatusReply,
    speakers: ["controller"],
    listeners: ["health"],
    what: "which slots flap, or which instances crashed?",
  }),
  hmRequests: row("cloudcontrollers.hm.requests", {
    payload: health.hmRequest,
    speakers: ["health"],
    listeners: ["controller"],
    queue: "cc",
    what: "start what is missing, stop what is too much",
  }),
  hmRequestsPartition: row("cloudcontrollers.hm.requests.{partition}", {
    payload: health.hmRequest,
    speakers: [],
    listeners: ["controller"],
    queue: "cc",
    what: "the same from a later health manager",
  }),
  bulkCredentials: row("cloudcontroller.bulk.credentials", {
    payload: values.nothing,
    reply: health.bulkCredentials,
    speakers: ["health"],
    listeners: ["controller"],
    what: "the name and password of the bulk interface",
  }),
  bulkCredentialsPartition: row("cloudcontroller.bulk.credentials.{partition}", {
    payload: values.nothing,
    reply: health.bulkCredentials,
    speakers: [],
    listeners: ["controller"],
    what: "the same for a later health manager",
  }),
  routerRegister: row("router.register", {
    payload: router.routerRegister,
    speakers: registrars,
    listeners: ["router"],
    of: "host",
    what: "this address serves these names",
  }),
  routerUnregister: row("router.unregister", {
    payload: router.routerRegister,
    speakers: registrars,
    listeners: ["router"],
    of: "host",
    what: "this address serves these names no longer",
  }),
  routerStart: row("router.start", {
    payload: router.routerStart,
    speakers: ["router"],
    listeners: registrars,
    what: "a router has booted: everybody registers everything now",
  }),
  routerGreet: row("router.greet", {
    payload: values.nothing,
    reply: router.routerStart,
    speakers: [...registrars, "tool"],
    listeners: ["router"],
    what: "how often do the routers want to hear from me?",
  }),
  ccEvents: row("vcap.cc.events", {
    payload: component.ccEvent,
    speakers: ["controller"],
    listeners: ["tool"],
    what: "the audit trail of users and system",
  }),
  stager: row("vcap.stager.{queue}", {
    payload: staging.stagingRequest,
    reply: staging.stagingResult,
    speakers: ["controller"],
    listeners: ["stager"],
    queue: "vcap.stager.staging",
    what: "turn these bits into a droplet",
  }),
  staging: row("staging", {
    payload: staging.stagingRequest,
    reply: staging.stagingResult,
    speakers: [],
    listeners: ["stager"],
    queue: "staging",
    what: "the same from a later controller",
  }),
  stagingDone: row("cc.staging.{task}", {
    payload: staging.stagingResult,
    speakers: ["stager"],
    listeners: ["controller"],
    what: "the droplet is there, or why not",
  }),
  log: row("tutti.v1.log.{app}", {
    payload: component.logLines,
    speakers: ["dea", "stager", "controller", "health"],
    listeners: ["controller"],
    what: "lines of an app's log",
  }),
  ...membershipRows,
  trace: row("tutti.v1.trace.{app}", {
    payload: values.nothing,
    reply: component.traceReply,
    speakers: ["controller"],
    listeners: ["core"],
    what: "what the bus said about an app lately",
  }),
} as const;
