import { read } from "./answers.ts";
import { Fault } from "./fault.ts";
import type { Http } from "./http.ts";

export interface Tokens {
  accessToken: string;
  refreshToken?: string | undefined;
}

/** What is traded for tokens, as OAuth 2 calls it. */
type Grant =
  | { grant_type: "password"; username: string; password: string }
  | { grant_type: "refresh_token"; refresh_token: string };

/** The public client of every Cloud Foundry command line: it has a name and no secret. */
const client = `Basic ${Buffer.from("cf:").toString("base64")}`;

/** Trades a grant for tokens at the token endpoint below `login`. Wrong ones reject with code `bad_credentials`. */
export async function grant(http: Http, login: string, what: Grant): Promise<Tokens> {
  const url = `${login.replace(/\/+$/, "")}/oauth/token`;
  const answer = await http.send({
    method: "POST",
    url,
    headers: {
      authorization: client,
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams(what).toString(),
  });
  if (answer.status === 401 || (answer.status === 400 && /invalid_grant|unauthorized/.test(answer.text)))
    throw refused(what);
  const body = read(answer, { method: "POST", url }) as { access_token?: string; refresh_token?: string } | undefined;
  if (!body?.access_token) throw new Fault(`${url} answered without a token`, { code: "not_the_api" });
  return { accessToken: body.access_token, refreshToken: body.refresh_token };
}

function refused(what: Grant): Fault {
  return what.grant_type === "password"
    ? new Fault(`the cluster does not accept this password for ${what.username}`, {
        code: "bad_credentials",
        hint: "check the address and try again: tutti login EMAIL",
      })
    : new Fault("the login has expired", { code: "not_logged_in", hint: "tutti login" });
}

/** Whether the token is of no use any more, or not for long. Opaque tokens are tried until they are refused. */
export function stale(token: string, now: number): boolean {
  try {
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp?: number };
    return typeof payload.exp === "number" && payload.exp * 1000 < now + 15_000;
  } catch {
    return false;
  }
}
