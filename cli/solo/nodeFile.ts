import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type NodeSpec, parseNode } from "../../roles/node.ts";
import { type ClusterSpec, parseCluster } from "../../roles/spec.ts";
import { Fault } from "../fault.ts";
import { appGround } from "./appGround.ts";
import { thisMachine } from "./machine.ts";
import { type Place, projectFile } from "./place.ts";
import { freePorts } from "./ports.ts";
import { soloNode } from "./spec.ts";

const tools = () => projectFile(".cache/tools/bin");
const homeOf = (place: Place) => join(place.home, "node");

/** The node that runs in this place, as it was started. */
export function readNode({ nodeFile }: Place): NodeSpec {
  try {
    return parseNode(readFileSync(nodeFile, "utf8"), nodeFile);
  } catch (cause) {
    throw new Fault(`${nodeFile} cannot be read: ${(cause as Error).message}`, {
      code: "bad_node_file",
      hint: "npx tutti solo down, then npx tutti solo up: it is written anew at each start",
      cause,
    });
  }
}

/** The node that a cluster.yaml makes of this machine. Ports that are free to choose stay those of the last start. */
export async function makeNode(place: Place, file: string | undefined, trace?: string): Promise<NodeSpec> {
  const cluster = readCluster(file ?? projectFile("examples/solo/cluster.yaml"));
  const home = homeOf(place);
  const free = await freePorts(portsBefore(place));
  const node = soloNode({ cluster, machine: thisMachine(place.home), free, home, tools: tools() });
  const reach = appGround(home, { fresh: !existsSync(place.nodeFile) });
  return { ...node, ...reach, ...(trace ? { trace } : {}) };
}

/** Settings of a cluster.yaml in which the node that runs differs from it. Throws when the file cannot be used. */
export function differences(running: NodeSpec, file: string, place: Place): string[] {
  const free = (setting: string) => running.ports[setting as "router"];
  // Twice what it was given: half of that is the default, so that only what the file says makes a difference.
  const machine = { memory: 2 * running.memory, disk: 2 * running.disk };
  const node = soloNode({ cluster: readCluster(file), machine, free, home: homeOf(place), tools: tools() });
  const keys = [
    "cluster",
    "domain",
    "beat",
    "crashLifetime",
    "ports",
    "id",
    "roles",
    "zone",
    "memory",
    "disk",
  ] as const;
  return keys.filter((key) => !isDeepStrictEqual(node[key], running[key]));
}

function readCluster(file: string): ClusterSpec {
  return parseCluster(textOf(file), file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" ? "is not there" : code === "EISDIR" ? "is a directory" : `cannot be read: ${message}`;
    throw new Fault(`${file} ${why}`, { code: "no_spec", hint: "name a cluster.yaml with --spec", cause });
  }
}

/** An older file may have another shape: only its ports matter, and without them new ones are chosen. */
function portsBefore({ nodeFile }: Place): NodeSpec["ports"] | undefined {
  try {
    return (JSON.parse(readFileSync(nodeFile, "utf8")) as Partial<NodeSpec>).ports;
  } catch {
    return undefined;
  }
}
