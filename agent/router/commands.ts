import { type Applied, type MapName, mapEntries, mapFile } from "./applied.ts";
import type { Change } from "./diff.ts";
import type { Target } from "./view.ts";

/** Text for the command socket and the answers that mean it was done. */
export interface Command {
  text: string;
  ok: RegExp;
}

/** A map to be written anew and put in place of the old one in one moment. */
export interface Replacement {
  map: MapName;
  lines: string[];
}

export type Step = Command | Replacement;

const silent = /^\s*$/;

/**
 * How HAProxy watches a server: no regular checks (registrations tell who lives), but a failed connection has the
 * server checked within a moment, and only a check that fails too takes it out, until one succeeds. So a client that
 * goes away can never condemn a healthy instance.
 */
const watching =
  "check inter 1h fastinter 100ms downinter 1s fall 1 rise 1 observe layer4 error-limit 1 on-error fastinter " +
  // A server added at run time keeps no connection for the next request unless told to: a third of the speed.
  "pool-purge-delay 5s pool-max-conn -1";

/** The authority that all certificates of backends are checked with, a file beside the configuration. */
export const authorityFile = "ca.pem";

/**
 * What stands behind a server's address. With TLS, the name is checked as well as the signature, as every node has a
 * certificate; the watch looks at the bare port, because a busy server that shakes no hands for a moment is not ill.
 */
export function serverOptions({ address, san }: Target): string {
  if (san === undefined) return watching;
  const port = address.slice(address.lastIndexOf(":") + 1);
  return `${watching} port ${port} ssl verify required verifyhost ${san} ca-file ${authorityFile}`;
}

// In HAProxy 2.6 changing or deleting one entry walks through the whole map (some 40 ns an entry), so beyond this many
// a new version of the map is cheaper.
const replaceFrom = 100;

/** Changes → what to say, in order. `applied` is what HAProxy has when all is done. */
export function stepsFor(changes: readonly Change[], applied: Applied): Step[] {
  const costly = changes.filter((change) => change.do === "map" && change.had);
  const counts = Map.groupBy(costly, (change) => (change.do === "map" ? change.map : undefined));
  const replaced = new Set([...counts].flatMap(([map, all]) => (map && all.length > replaceFrom ? [map] : [])));
  const steps: Step[] = [];
  const done = new Set<MapName>();
  const additions: { map: MapName; line: string }[] = [];
  const flush = () => steps.push(...additionsOf(additions.splice(0)));
  for (const change of changes) {
    const addition = change.do === "map" && !change.had && !replaced.has(change.map);
    if (addition) {
      additions.push({ map: change.map, line: `${change.key} ${change.value}` });
      continue;
    }
    flush();
    if (change.do !== "map") steps.push(...serverCommands(change));
    else if (!replaced.has(change.map)) steps.push(entryCommand(change));
    else if (!done.has(change.map)) {
      done.add(change.map);
      steps.push({ map: change.map, lines: [...mapEntries(applied, change.map)].map((pair) => pair.join(" ")) });
    }
  }
  flush();
  return steps;
}

function serverCommands(change: Extract<Change, { server: string }>): Command[] {
  const { server, address } = change;
  const ready = { text: `set server ${server} state ready`, ok: silent };
  const colon = address.lastIndexOf(":");
  switch (change.do) {
    case "leave":
      return [{ text: `set server ${server} state maint`, ok: silent }];
    case "back":
      return [ready];
    case "move": {
      const text = `set server ${server} addr ${address.slice(0, colon)} port ${address.slice(colon + 1)}`;
      return [{ text, ok: /^(?:IP changed|port changed|no need|\s*$)/i }, ready];
    }
    case "add":
      return [
        { text: `add server ${server} ${address} ${serverOptions(change)}`, ok: /^New server registered/ },
        { text: `enable health ${server}`, ok: silent },
        ready,
      ];
  }
}

function entryCommand({ map, key, value }: Extract<Change, { do: "map" }>): Command {
  const file = mapFile(map);
  const text = value === undefined ? `del map ${file} ${key}` : `set map ${file} ${key} ${value}`;
  return { text, ok: silent };
}

/** Asks for the removal of a server that leaves; HAProxy refuses while a connection to it is open. */
export function removal(server: string): Command {
  return { text: `del server ${server}`, ok: /^Server deleted/ };
}

/** Lines as additions to the maps, many a command. `version` is that of a map being replaced. */
export function additionsOf(lines: readonly { map: MapName; line: string }[], version = ""): Command[] {
  const commands: Command[] = [];
  let text = "";
  let map: MapName | undefined;
  const close = () => {
    // An empty line ends the payload; the socket adds the end of the last line itself.
    if (text) commands.push({ text: `add map ${version}${map && mapFile(map)} <<\n${text}`, ok: /^[\s+]*$/ });
    text = "";
  };
  for (const one of lines) {
    // A command with its payload must fit HAProxy's buffer of 16 KiB.
    if (one.map !== map || text.length + one.line.length > 12_000) close();
    map = one.map;
    text += `${one.line}\n`;
  }
  close();
  return commands;
}
