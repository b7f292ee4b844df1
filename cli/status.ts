import type { Call } from "./call.ts";
import { type Component, componentName, components, type Node, nodes } from "./cluster.ts";
import { exits } from "./fault.ts";
import type { Paint } from "./io.ts";
import { session } from "./session.ts";
import { ago, plain, table } from "./show.ts";

/** `tutti status`: roles × nodes, then components. Exit code 1 when something is not as it should be. */
export async function status(call: Call): Promise<number> {
  const { api } = await session(call);
  const [all, parts] = await Promise.all([nodes(api), components(api)]);
  const healthy =
    all.every((node) => node.state === "UP" && node.components.every(fine)) && parts.every((each) => each.healthy);
  const { paint } = call.io;
  const text = [roleTable(all, paint), componentTable(parts, paint), ...troubles(all)].join("\n\n");
  call.io.result({ ok: true, healthy, nodes: all, components: parts }, text);
  return healthy ? exits.done : exits.failed;
}

type Part = Node["components"][number];
const fine = ({ state }: Part) => /^(ready|running|up)$/i.test(state);

/** A column for each role that some node has. */
function roleTable(all: readonly Node[], paint: Paint): string {
  const roles = [...new Set(all.flatMap((node) => node.roles))];
  const rows = all.map((node) => [
    node.id,
    paint(
      node.state === "UP" ? "green" : "red",
      node.state === "UP" ? "up" : `lost, seen ${ago(node.seen, Date.now())}`,
    ),
    ...roles.map((role) => (node.roles.includes(role) ? cell(node, role, paint) : "")),
  ]);
  return table(["NODE", "STATE", ...roles.map((role) => role.toUpperCase())], rows, "no node has been heard of yet");
}

function cell(node: Node, role: string, paint: Paint): string {
  if (node.state !== "UP") return paint("red", "?");
  const part = node.components.find((each) => each.name === role);
  return !part || fine(part) ? paint("green", "ok") : paint("yellow", part.state.toLowerCase());
}

export function componentTable(parts: readonly Component[], paint: Paint): string {
  const rows = parts.map(({ type, index, host, uptime, healthy }) => [
    componentName(type),
    String(index),
    host,
    uptime || "-",
    healthy ? paint("green", "healthy") : paint("red", "not healthy"),
  ]);
  return table(["COMPONENT", "#", "STATUS AT", "UP", "HEALTH"], rows, "no component has answered");
}

function troubles(all: readonly Node[]): string[] {
  const told = all.flatMap((node) =>
    node.components
      .filter((part) => !fine(part))
      .map(
        (part) =>
          `${node.id}: ${part.name} is ${part.state.toLowerCase()}${part.reason ? `: ${plain(part.reason)}` : ""}`,
      ),
  );
  return told.length ? [told.join("\n")] : [];
}
