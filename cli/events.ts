import type { Call } from "./call.ts";
import { openApp } from "./find.ts";
import type { AuditEvent } from "./resources.ts";
import { place, session } from "./session.ts";
import { ago, plain, table } from "./show.ts";

/** `tutti events [APP]`: oldest first, so that the newest is where the eye is. */
export async function events(call: Call): Promise<void> {
  const limit = call.whole("num", { min: 1, max: 5000 }) ?? 50;
  const found = await newest(call, limit);
  const now = Date.now();
  call.io.result(
    { ok: true, events: found },
    table(
      ["WHEN", "WHAT", "WHO", "ON", "DETAILS"],
      found.map((event) => [
        ago(Date.parse(event.created_at), now),
        event.type.replace(/^audit\./, ""),
        event.actor.name ?? "-",
        event.target.name || event.target.guid,
        plain(details(event.data ?? {})),
      ]),
      "nothing has happened yet",
    ),
  );
}

async function newest(call: Call, limit: number): Promise<AuditEvent[]> {
  const query = { order_by: "-created_at", per_page: Math.min(limit, 5000) };
  const ask = async (opened: Awaited<ReturnType<typeof session>>, which: Record<string, string>) => {
    const page = await opened.api.get<{ resources: AuditEvent[] }>("/v3/audit_events", { ...query, ...which });
    return page.resources.slice(0, limit).reverse();
  };
  if (call.args[0]) {
    const opened = await openApp(call);
    return ask(opened, { target_guids: opened.app.guid });
  }
  const opened = await session(call);
  const { space } = await place(opened, call);
  return ask(opened, { space_guids: space.guid });
}

/** The short facts of an event: nested ones are for --json. */
function details(data: Record<string, unknown>): string {
  const facts = Object.entries(data).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return facts.map(([name, value]) => `${name}=${value}`).join(" ");
}
