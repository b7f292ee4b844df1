import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { read } from "./answers.ts";
import type { Call } from "./call.ts";
import { Fault } from "./fault.ts";
import { openApp } from "./find.ts";

/** `tutti files APP [PATH]`: what an instance has on its disk, byte by byte; of a slot that is down, its newest crash. */
export async function files(call: Call): Promise<void> {
  const instance = call.whole("instance", { max: 100_000 }) ?? 0;
  const { api, app } = await openApp(call);
  const asked = (call.args[1] ?? "").split("/").filter(Boolean);
  const type = call.text("process");
  const below = asked.map((part) => `/${encodeURIComponent(part)}`).join("");
  const path = `/tutti/apps/${app.guid}/instances/${instance}/files${below}${type ? `?process=${encodeURIComponent(type)}` : ""}`;
  const { status, headers, body } = await api.open(path);
  if (status >= 300)
    throw refused({ status, said: await text(body), type: headers["content-type"], url: `${api.target}${path}` }, call);
  if (call.io.json) {
    call.io.result({ ok: true, app: app.name, instance, path: asked.join("/"), text: await text(body) }, "");
  } else {
    await copy(body, call.io.stdout);
  }
}

/** Waits for a slow reader; leaves the stream open, as more may be said on it. */
async function copy(body: Readable, out: NodeJS.WriteStream): Promise<void> {
  let last: number | undefined;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    last = chunk.at(-1);
    if (!out.write(chunk)) await new Promise((resolve) => out.once("drain", resolve));
  }
  // A file is passed on as it is; only where a person looks, the next prompt begins on a line of its own.
  if (out.isTTY && last !== undefined && last !== 10) out.write("\n");
}

interface Refusal {
  status: number;
  said: string;
  type: unknown;
  url: string;
}

function refused({ status, said, type, url }: Refusal, call: Call): Fault {
  const name = call.arg(0);
  const hint = `tutti files ${name} shows what there is; tutti app ${name} which instances there are`;
  const what = call.args[1] ? `"${call.args[1]}"` : "its files";
  if (status === 404)
    return new Fault(`${name} has no ${call.args[1] ? what : "such instance"}`, { code: "no_file", hint });
  if (status === 403 && !/json/.test(String(type)))
    return new Fault(`${what} may not be seen`, { code: "not_accessible", hint });
  try {
    read({ status, text: said, type: String(type ?? "") }, { method: "GET", url });
  } catch (error) {
    return error as Fault;
  }
  return new Fault(`${what} cannot be read (status ${status})`, { code: "no_file", hint });
}
