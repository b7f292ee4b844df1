import { setTimeout as pause } from "node:timers/promises";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { Fault } from "./fault.ts";
import { openApp } from "./find.ts";
import { batch, follower, type Line, lineText, readLog } from "./logcache.ts";

/** `tutti logs APP`: what there is, then what comes, until it is stopped. With --json a line is an object. */
export async function logs(call: Call): Promise<void> {
  const recent = call.flag("recent") && !call.flag("follow");
  const limit = call.whole("num", { min: 1, max: batch }) ?? (recent ? 200 : 20);
  const wants = filter(call);
  const { api, app } = await openApp(call);
  const show = shower(call);
  const past = (
    await readLog(api, app, { limit: call.text("source") || call.text("instance") ? batch : limit, newest: true })
  )
    .filter(wants)
    .slice(-limit);
  past.forEach(show);
  if (recent) {
    if (past.length === 0) call.io.note(`${app.name} has said nothing lately`);
    return;
  }
  const from = past.at(-1)?.at;
  await follow(
    { api, app, from: from === undefined ? undefined : from + 1n, note: call.io.note },
    (line) => wants(line) && show(line),
  );
}

interface Following {
  api: Api;
  app: { guid: string };
  from: bigint | undefined;
  note(line: string): void;
}

/** Goes on when the cluster is away for a while: the controller may be restarting. */
async function follow({ api, app, from, note }: Following, each: (line: Line) => void): Promise<never> {
  const lines = follower(api, app, from ?? 0n);
  for (let away = false; ; ) {
    try {
      const found = await lines.next();
      found.forEach(each);
      if (away) note("note: the cluster is back");
      away = false;
      await pause(found.length ? 100 : 250);
    } catch (error) {
      if (!(error instanceof Fault) || !/^(unreachable|api_|http_5)/.test(error.code)) throw error;
      if (!away) note(`note: ${error.message}; waiting for it …`);
      away = true;
      await pause(1000);
    }
  }
}

function filter(call: Call): (line: Line) => boolean {
  const source = call.text("source")?.toUpperCase();
  const instance = call.text("instance");
  return (line) =>
    (!source || line.source.toUpperCase() === source || line.source.toUpperCase().startsWith(`${source}/`)) &&
    (instance === undefined || line.instance === instance);
}

function shower({ io }: Call): (line: Line) => void {
  return (line) => {
    if (io.json) io.out(JSON.stringify({ ...line, at: new Date(Number(line.at / 1_000_000n)).toISOString() }));
    else io.out(shade(line, lineText(line), io.paint));
  };
}

function shade(line: Line, text: string, paint: Call["io"]["paint"]): string {
  if (line.err) return paint("red", text);
  return line.source.startsWith("APP") ? text : paint("dim", text);
}
