import type { Call } from "./call.ts";
import { instancesOf, openApp, processesOf } from "./find.ts";
import type { AuditEvent } from "./resources.ts";
import { ago, plain, table } from "./show.ts";

/** `tutti crashes APP`: instances that are down now, and the ends the cluster remembers. */
export async function crashes(call: Call): Promise<void> {
  const { api, app } = await openApp(call);
  const query = {
    target_guids: app.guid,
    types: "audit.app.process.crash,app.crash",
    order_by: "-created_at",
    per_page: 50,
  };
  const [past, processes] = await Promise.all([
    api.get<{ resources: AuditEvent[] }>("/v3/audit_events", query),
    processesOf(api, app),
  ]);
  const stats = app.state === "STARTED" ? await Promise.all(processes.map((each) => instancesOf(api, each))) : [];
  const down = stats.flat().filter((each) => each.state === "CRASHED" || (each.state === "DOWN" && each.details));
  const ended = past.resources.map(({ created_at, data = {} }) => ({
    at: created_at,
    index: data["index"],
    reason: String(data["exit_description"] ?? data["reason"] ?? "ended"),
    status: data["exit_status"],
  }));
  const rows = ended.map(({ at, index, reason, status }) => [
    ago(Date.parse(at), Date.now()),
    String(index ?? "-"),
    status === undefined ? "-" : String(status),
    plain(reason),
  ]);
  const now = down.map(
    (each) => `${each.type} ${each.index} is ${each.state.toLowerCase()}: ${plain(each.details ?? "")}`,
  );
  const list = table(["WHEN", "#", "STATUS", "WHY"], rows, now.length ? "" : `no instance of ${app.name} has crashed`);
  call.io.result({ ok: true, app: app.name, crashes: ended, down }, [...now, list].filter(Boolean).join("\n"));
}
