import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { BootstrapFault } from "./fault.ts";
import type { Ask, LoopbackAnswer, LoopbackRequest } from "./loopback.ts";

/** Who the cluster's first user is to be, or is already. */
export interface Login {
  readonly email: string;
  readonly password?: string | undefined;
  /** What the machines' users get instead of their old one. Default: the same. */
  readonly unixPassword?: string | undefined;
  /** Of an earlier login: proof enough where no password is known any more. */
  readonly refreshToken?: string | undefined;
  /** Makes a password up, where there is no first user yet and nobody has named one. */
  readonly makeUp?: (() => string) | undefined;
}

export interface Named {
  readonly guid: string;
  readonly name: string;
}

export interface Licensed {
  readonly outcome: "done" | "already_ours";
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** The organization and the space to begin with, when there is one of each. */
  readonly organization?: Named | undefined;
  readonly space?: Named | undefined;
}

const state = z.object({ licensed: z.boolean() });
const tokens = z.object({ access_token: z.string(), refresh_token: z.string().optional() });
const page = z.object({ resources: z.array(z.object({ guid: z.string(), name: z.string() })) });
const errors = z.object({ errors: z.array(z.object({ detail: z.string() })).min(1) });

export interface LicenseOptions {
  /** Milliseconds, as performance.now() counts them. */
  readonly deadline: number;
  readonly stop: AbortSignal;
  readonly tell: (why: string) => void;
  /** Milliseconds between two tries, at first. */
  readonly pace: number;
}

/**
 * Makes the first user and proves it by logging in; both may be repeated. Rejects with `claimed` when the cluster has a
 * first user who is not this one.
 */
export async function takeLicense(ask: Ask, login: Login, options: LicenseOptions): Promise<Licensed> {
  const patient: Ask = (request) => untilItAnswers(ask, request, options);
  const { outcome, ...tokens } = (await byPassword(patient, login)) ?? (await withoutPassword(patient, login));
  return { outcome, ...tokens, ...(await where(patient, tokens.accessToken)) };
}

type Proof = Pick<Licensed, "outcome" | "accessToken" | "refreshToken">;

async function byPassword(ask: Ask, { email, password, unixPassword = password }: Login): Promise<Proof | undefined> {
  if (password === undefined) return undefined;
  const outcome = await claim(ask, { email, password, unix_password: unixPassword ?? password });
  const proven = await grant(ask, { grant_type: "password", username: email, password });
  if (!proven) throw failed("the login of the first user was refused right after it was made");
  return { outcome, ...proven };
}

async function withoutPassword(ask: Ask, login: Login): Promise<Proof> {
  const { refreshToken, makeUp } = login;
  const { body } = await ask({ method: "GET", path: "/stackato/license" });
  const licensed = state.safeParse(body).data?.licensed;
  if (licensed === false) {
    const made = await byPassword(ask, { ...login, password: makeUp?.() });
    if (made) return made;
    throw failed("the cluster has no first user, and no password for one was given");
  }
  const kept = refreshToken && (await grant(ask, { grant_type: "refresh_token", refresh_token: refreshToken }));
  if (!kept) throw claimedBefore();
  return { outcome: "already_ours", ...kept };
}

async function claim(ask: Ask, form: Readonly<Record<string, string>>): Promise<Licensed["outcome"]> {
  const answer = await ask({ method: "POST", path: "/stackato/license", form });
  if (answer.status === 201) return "done";
  if (answer.status === 200) return "already_ours";
  if (answer.status === 409) throw claimedBefore();
  throw failed(`the license step was refused: ${detailOf(answer)}`);
}

async function grant(ask: Ask, form: Readonly<Record<string, string>>) {
  // The public client of every Cloud Foundry command line: it has a name and no secret.
  const headers = { authorization: `Basic ${Buffer.from("cf:").toString("base64")}` };
  const answer = await ask({ method: "POST", path: "/oauth/token", form, headers });
  const said = tokens.safeParse(answer.body).data;
  if (answer.status !== 200 || !said) return undefined;
  return { accessToken: said.access_token, refreshToken: said.refresh_token };
}

async function where(ask: Ask, token: string): Promise<Pick<Licensed, "organization" | "space">> {
  const only = async (path: string): Promise<Named | undefined> => {
    const answer = await ask({ method: "GET", path, headers: { authorization: `bearer ${token}` } });
    const found = page.safeParse(answer.body).data?.resources ?? [];
    return found.length === 1 ? found[0] : undefined;
  };
  const organization = await only("/v3/organizations");
  return { organization, space: organization && (await only("/v3/spaces")) };
}

/** A controller that has just started, or that was asked too often, is asked again. */
async function untilItAnswers(ask: Ask, request: LoopbackRequest, options: LicenseOptions): Promise<LoopbackAnswer> {
  for (let pause = options.pace; ; pause = Math.min(pause * 2, 10_000)) {
    const tried = await ask(request).catch((error: Error) => error);
    if (tried instanceof BootstrapFault && tried.code !== "step_failed") throw tried;
    if (tried instanceof Error && isStranger(tried)) throw stranger(tried);
    const busy = tried instanceof Error ? tried.message : [429, 502, 503].includes(tried.status) ? detailOf(tried) : "";
    if (!(tried instanceof Error) && busy === "") return tried;
    if (performance.now() + pause > options.deadline || options.stop.aborted) throw failed(busy, tried);
    options.tell(`the controller says: ${busy}`);
    await sleep(pause, undefined, { signal: options.stop }).catch(() => {});
  }
}

/** TLS has an end where the other side is not whom the authority knows: asking again would bring the same. */
const isStranger = ({ code = "" }: Error & { code?: string }) => /CERT|SIGNED|VERIFY|EPROTO|SSL/.test(code);

const stranger = (cause: Error) =>
  new BootstrapFault(`what answers on the controller's port has no certificate of this cluster: ${cause.message}`, {
    ...{ code: "license_failed", cause },
    hint: "nothing was sent to it. Is that port taken by another program? tutti node explain NODE",
  });

function detailOf({ status, body }: LoopbackAnswer): string {
  return errors.safeParse(body).data?.errors[0]?.detail ?? `status ${status}`;
}

const claimedBefore = () =>
  new BootstrapFault("this cluster has its first user already, and it is not this one (or the password is another)", {
    code: "claimed",
    hint: "with the right password it is recognized: STACKATO_EMAIL and STACKATO_PASSWORD. If nobody of yours did it, take the cluster away and make it anew: tutti destroy",
  });

const failed = (message: string, cause?: unknown) =>
  new BootstrapFault(message, {
    code: "license_failed",
    cause,
    hint: "tutti node console NODE shows more; then run the same again",
  });
