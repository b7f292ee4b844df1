import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";
import type { Http } from "../http.ts";

export interface Login {
  email: string;
  password: string;
}

/** Resolves when the API answers through the router, or when it need not any more. */
export async function awaitApi(http: Http, api: string, stop: AbortSignal): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!stop.aborted) {
    const answer = await http.send({ method: "GET", url: `${api}/v3/info` }).catch(() => undefined);
    if (answer?.status === 200) return;
    if (Date.now() > deadline)
      throw new Fault(`${api} does not answer after 30 s${answer ? ` (status ${answer.status})` : ""}`, {
        code: "api_unreachable",
        hint: "npx tutti solo down, then npx tutti solo up",
      });
    await sleep(20);
  }
}

/**
 * Takes the license step on loopback: makes the first user, once. Resolves to what happened in words; rejects when
 * the cluster is somebody else's.
 */
export async function claimLicense(http: Http, controller: string, login: Login): Promise<string> {
  const answer = await http.send({
    method: "POST",
    url: `${controller}/stackato/license`,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({
      email: login.email,
      password: login.password,
      unix_password: login.password,
    }).toString(),
  });
  if (answer.status === 201) return "taken";
  if (answer.status === 200) return /already/i.test(answer.text) ? "already done" : "taken";
  throw new Fault(`the license step was refused (status ${answer.status}): ${answer.text.slice(0, 300)}`, {
    code: "license_refused",
    hint: "this cluster may belong to somebody else: see who with GET /stackato/license",
  });
}
