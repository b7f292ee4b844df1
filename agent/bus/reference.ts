import { z } from "zod";
import type { Subject } from "./subject.ts";

// The reference of the bus as text, from the table of subjects. Written by `node agent/bus/writeReference.ts`.

interface Json {
  type?: string | string[];
  properties?: Record<string, Json>;
  required?: string[];
  items?: Json;
  prefixItems?: Json[];
  enum?: unknown[];
  anyOf?: Json[];
  oneOf?: Json[];
  additionalProperties?: Json | boolean;
  default?: unknown;
}

const head = `# The bus

Every subject that machines of a cluster speak on, from \`agent/bus/subjects.ts\`. This file is written by
\`node agent/bus/writeReference.ts\`; a test says so when it is not up to date.

A payload is one JSON object unless it says otherwise. Receivers ignore keys that they do not know and read \`null\` as
absent. Nothing is ever published to an empty reply subject, and silence is the only negative answer. \`tool\` stands for
collectors and operators' programs, \`node\` for the agent itself, \`joiner\` for a machine that is not let in yet; \`core\`
also records everything.
`;

/** The whole reference as Markdown. */
export function reference(table: Record<string, Subject<unknown, unknown>>): string {
  const rows = Object.values(table);
  const index = rows.map(
    (row) => `| [\`${row.name}\`](#${anchor(row.name)}) | ${parties(row.speakers)} | ${parties(row.listeners)} |`,
  );
  const summary = ["| subject | speakers | listeners |", "|---|---|---|", ...index].join("\n");
  return `${[head, summary, "", ...rows.map(section)].join("\n")}\n`;
}

// As GitHub names the headings.
const anchor = (name: string) => name.toLowerCase().replace(/[^\w-]/g, "");
const parties = (list: readonly string[]) => list.join(", ") || "none of ours";

function section(row: Subject<unknown, unknown>): string {
  const queue = row.queue ? `, queue group \`${row.queue}\`` : "";
  const reply = row.reply ? ["", "Answer:", "", fields(row.reply)] : [];
  const who = `From ${parties(row.speakers)} to ${parties(row.listeners)}${queue}.`;
  return [
    `## ${row.name}`,
    "",
    `${capital(row.what)}. ${who}`.replace(/\?\. /, "? "),
    "",
    fields(row.payload),
    ...reply,
    "",
  ].join("\n");
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function fields(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Json;
  if (!json.properties) return `Payload: ${typeOf(json)}.`;
  const names = Object.entries(json.properties);
  if (names.length === 0) return "No fields.";
  return names.map(([name, field]) => `- \`${name}\`${mark(name, json)}: ${typeOf(field)}`).join("\n");
}

const mark = (name: string, { required }: Json) => (required?.includes(name) ? "" : " (optional)");

function typeOf(json: Json): string {
  if (json.enum) return json.enum.map((value) => `\`${value}\``).join(" or ");
  const several = json.anyOf ?? json.oneOf;
  if (several) return [...new Set(several.map(typeOf))].join(" or ");
  if (json.prefixItems) return `[${json.prefixItems.map(typeOf).join(", ")}]`;
  if (json.type === "array") return `list of ${json.items ? typeOf(json.items) : "anything"}`;
  if (json.type === "object") return objectType(json);
  return [json.type ?? "anything"].flat().join(" or ");
}

function objectType(json: Json): string {
  const names = Object.entries(json.properties ?? {});
  if (names.length > 0)
    return `{${names.map(([name, field]) => `${name}${mark(name, json) && "?"}: ${typeOf(field)}`).join(", ")}}`;
  const values = json.additionalProperties;
  return typeof values === "object" ? `map of ${typeOf(values)}` : "object";
}
