import type { Bus } from "../../bus/bus.ts";
import type { Announce } from "../../bus/messages/component.ts";
import { subjects } from "../../bus/subjects.ts";
import type { ComponentView } from "../engine.ts";
import { bounded } from "./bounded.ts";
import { fresh } from "./fresh.ts";
import { patience } from "./options.ts";

/** Asks who is there and how each of them is. Callers within a beat share an answer. */
export function components({ bus, beat }: { bus: Bus; beat: number }): () => Promise<ComponentView[]> {
  const shared = fresh<ComponentView[]>(beat);
  const look = async () => {
    const found = await bus.gather(subjects.discover, {}, { timeout: patience(beat) });
    const views = await bounded(found, 32, (one) => viewOf(one, patience(beat)));
    return views.sort((a, b) => (`${a.type} ${a.uuid}` < `${b.type} ${b.uuid}` ? -1 : 1));
  };
  return () => shared.get("all", look);
}

async function viewOf(one: Announce, timeout: number): Promise<ComponentView> {
  const { type, index, uuid, host, uptime = "" } = one;
  return { type, index, uuid, host, uptime, healthy: await isHealthy(one, timeout) };
}

async function isHealthy({ host, credentials, tls }: Announce, timeout: number): Promise<boolean> {
  const authorization = `Basic ${Buffer.from(credentials.join(":")).toString("base64")}`;
  try {
    const stop = AbortSignal.timeout(timeout);
    const answer = await fetch(`${tls ? "https" : "http"}://${host}/healthz`, {
      headers: { authorization },
      signal: stop,
    });
    return answer.ok && (await answer.text()).trim().toLowerCase() === "ok";
  } catch {
    return false;
  }
}
