import type { User } from "../records.ts";
import { Answer, type Api, type Call, type Endpoint, early, get, open, post } from "./api.ts";
import { authenticate } from "./authorize.ts";
import { lifetime, markOf, scopesOf, type Tokens } from "./tokens.ts";

type Form = Readonly<Record<string, string>>;

/** An error in UAA's form. */
const refused = (status: number, error: string, description: string, headers: Record<string, string> = {}) =>
  new Answer(status, { error, error_description: description }, headers);

const badCredentials = () => refused(401, "unauthorized", "Bad credentials");

/** The token endpoint and its neighbours, as UAA has them. */
export function oauth(api: Api, tokens: Tokens): Endpoint[] {
  return [
    open(post("/oauth/token", (call) => token(api, tokens, call))),
    open(get("/userinfo", (call) => userinfo(api, tokens, call))),
    open(post("/check_token", (call) => checkToken(api, tokens, call))),
    // Signed with a key that only controllers have: there is nothing to publish.
    open(get("/token_keys", () => ({ keys: [] }))),
    early(get("/login", (call) => login(api, call))),
  ];
}

async function token(api: Api, tokens: Tokens, call: Call): Promise<Answer> {
  const form = formOf(call);
  if (!isClient(call, form)) return refused(401, "invalid_client", "Bad client credentials");
  if (form["grant_type"] === "password") return await byPassword(api, tokens, call, form);
  if (form["grant_type"] === "refresh_token") return await byRefresh(api, tokens, call, form);
  if (!form["grant_type"]) return refused(400, "invalid_request", "Missing grant type");
  return refused(400, "unsupported_grant_type", `Unsupported grant type: ${form["grant_type"]}`);
}

async function byPassword(api: Api, tokens: Tokens, call: Call, form: Form): Promise<Answer> {
  const username = (form["username"] ?? "").trim().toLowerCase().slice(0, 254);
  const user = api.tables.users.all().find((one) => one.username.toLowerCase() === username);
  const check = () => api.passwords.verify(form["password"] ?? "", user?.passwordHash);
  const passed = await api.throttle.attempt(username, check);
  if (passed === true && user) return await granted(tokens, user, call);
  api.log.warn({ username, from: call.request.socket.remoteAddress }, "A login was refused");
  return typeof passed === "number" ? locked(passed) : badCredentials();
}

/** In UAA's words, which clients know. */
const locked = (wait: number) =>
  refused(401, "unauthorized", "Your account has been locked because of too many failed attempts to login.", {
    "retry-after": String(Math.ceil(wait / 1000)),
  });

async function byRefresh(api: Api, tokens: Tokens, call: Call, form: Form): Promise<Answer> {
  const claims = await tokens.read(form["refresh_token"] ?? "");
  const user = claims?.use === "refresh" ? await api.tables.users.find(claims.user) : undefined;
  if (!claims || !user || markOf(user) !== claims.mark)
    return refused(401, "invalid_token", "The refresh token is invalid or has expired: log in again");
  return await granted(tokens, user, call);
}

async function granted(tokens: Tokens, user: User, call: Call): Promise<Answer> {
  const { token, jti } = await tokens.access(user, call.base);
  return new Answer(
    200,
    {
      access_token: token,
      token_type: "bearer",
      refresh_token: await tokens.refresh(user, call.base),
      expires_in: lifetime.access,
      scope: scopesOf(user).join(" "),
      jti,
    },
    { "cache-control": "no-store", pragma: "no-cache" },
  );
}

async function userinfo(api: Api, tokens: Tokens, call: Call) {
  try {
    const user = await authenticate(call.request.headers.authorization, api.tables, tokens);
    const { guid, username } = user;
    return { user_id: guid, sub: guid, user_name: username, name: username, email: username, email_verified: true };
  } catch {
    return refused(401, "invalid_token", "Invalid or missing access token");
  }
}

async function checkToken(api: Api, tokens: Tokens, call: Call) {
  const form = formOf(call);
  if (!isClient(call, form)) return refused(401, "invalid_client", "Bad client credentials");
  const claims = await tokens.read(form["token"] ?? "");
  const user = claims && (await api.tables.users.find(claims.user));
  if (!claims || !user || markOf(user) !== claims.mark) return refused(400, "invalid_token", "Invalid token");
  return claims.raw;
}

function login({ version, domain }: Api, { base }: Call) {
  return {
    app: { version },
    links: { uaa: base, login: base, passwd: null, register: null },
    zone_name: "uaa",
    entityID: domain,
    prompts: { username: ["text", "Email"], password: ["password", "Password"] },
    timestamp: new Date().toISOString(),
  };
}

/** The client `cf` has an empty secret: it names the program, it proves nothing. */
function isClient({ request }: Call, form: Form): boolean {
  const basic = /^basic +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (basic) return Buffer.from(basic, "base64").toString() === "cf:";
  return form["client_id"] === "cf" && !form["client_secret"];
}

/** From the body only: a password in an address would end up in access logs. */
function formOf({ body }: Call): Form {
  return typeof body === "object" && body !== null ? (body as Form) : {};
}
