import { readFile } from "node:fs/promises";
import type { Call } from "./call.ts";
import { exits, wrongUsage } from "./fault.ts";
import { whole } from "./prompt.ts";
import { session } from "./session.ts";

/** `tutti curl PATH`: the API as it is. Exit code 1 when the answer is an error, so that scripts notice. */
export async function curl(call: Call): Promise<number> {
  const path = call.arg(0);
  if (!path.startsWith("/")) throw wrongUsage(`"${path}" is not a path of the API`, "e.g. tutti curl /v3/apps");
  const body = await bodyOf(call);
  const { api } = await session(call);
  const method = (call.text("request") ?? (body === null ? "GET" : "POST")).toUpperCase();
  const headers = { accept: "application/json", ...(body !== null && { "content-type": "application/json" }) };
  const answer = await api.raw({ method, path, headers, body });
  if (call.flag("include")) call.io.out(`${answer.status} ${answer.type}`);
  if (answer.text) call.io.out(pretty(answer.text, call.io.json));
  return answer.status < 400 ? exits.done : exits.failed;
}

async function bodyOf(call: Call): Promise<string | null> {
  const data = call.text("data");
  if (data === undefined) return null;
  if (data === "-") return whole(call.io.stdin);
  return data.startsWith("@") ? readFile(data.slice(1), "utf8") : data;
}

function pretty(text: string, oneLine: boolean): string {
  try {
    return JSON.stringify(JSON.parse(text), null, oneLine ? 0 : 2);
  } catch {
    return text;
  }
}
