import { setTimeout as pause } from "node:timers/promises";
import { near } from "../roles/near.ts";
import { read } from "./answers.ts";
import type { Call } from "./call.ts";
import { announced, componentName } from "./cluster.ts";
import { exits, Fault, wrongUsage } from "./fault.ts";
import { session } from "./session.ts";

/** `tutti ready` and `tutti process ready [all | NAME…]`: prints READY, or waits for it as long as `--block` says. */
export async function ready(call: Call): Promise<number> {
  const names = call.args.flat().filter((name) => name !== "all");
  for (const name of names) if (!announced[name]) throw unknown(name);
  const block = call.whole("block", { max: 86_400 });
  const began = Date.now();
  for (let said = ""; ; ) {
    const missing = await lacking(call, names);
    if (missing === undefined) {
      call.io.result({ ok: true, ready: true, seconds: (Date.now() - began) / 1000 }, "READY");
      return exits.done;
    }
    // 0 is kato's word for "for ever".
    if (block === undefined || (block > 0 && Date.now() - began >= block * 1000)) {
      throw new Fault(`not ready: ${missing}`, {
        code: "not_ready",
        hint: block === undefined ? "wait for it: --block SECONDS" : "tutti status",
      });
    }
    if (missing !== said) call.io.note(`waiting: ${missing}`);
    said = missing;
    await pause(200);
  }
}

/** What is missing, in words; undefined when nothing is. A cluster that does not answer is one that is not ready. */
async function lacking(call: Call, names: readonly string[]): Promise<string | undefined> {
  try {
    // Whoever waits for a cluster to come up has no login there yet.
    const { api } = await session(call, { anonymous: true });
    const answer = await api.raw({ method: "GET", path: "/tutti/ready", headers: { accept: "application/json" } });
    const body = answer.status === 503 ? parsed(answer.text) : undefined;
    return unready(body ?? (read(answer, { method: "GET", url: `${api.target}/tutti/ready` }) as Readiness), names);
  } catch (error) {
    if (error instanceof Fault && /^(unreachable|api_|service_unavailable|http_5)/.test(error.code))
      return error.message;
    throw error;
  }
}

interface Readiness {
  ready: boolean;
  licensed?: boolean;
  missing: string[];
  components: { type: string; expected: number; healthy: number }[];
}

/** "Not ready" is told with status 503; so are other troubles. */
function parsed(text: string): Readiness | undefined {
  try {
    const body = JSON.parse(text) as Partial<Readiness>;
    return body.components && body.missing ? (body as Readiness) : undefined;
  } catch {
    return undefined;
  }
}

/** Pure. Without names the whole cluster has to be ready, its license step included; else those parts. */
export function unready({ components, missing, licensed }: Readiness, names: readonly string[]): string | undefined {
  const parts = names.flatMap((name) => {
    const { expected = 1, healthy = 0 } = components.find((each) => componentName(each.type) === name) ?? {};
    return healthy >= Math.max(1, expected) ? [] : [`${name}: ${healthy} of ${expected} are there and healthy`];
  });
  const license = licensed === false ? ["the license step was not taken"] : [];
  const told = names.length ? parts : [...missing, ...license];
  return told.length ? told.join(", ") : undefined;
}

function unknown(name: string): Fault {
  const meant = near(name, Object.keys(announced));
  return wrongUsage(
    `there is no component "${name}"`,
    meant ? `did you mean ${meant}?` : `components: all, ${Object.keys(announced).join(", ")}`,
  );
}
