import type { Call } from "./call.ts";
import { type Config, readConfig, writeConfig } from "./config.ts";
import { Fault, wrongUsage } from "./fault.ts";
import { makeHttp } from "./http.ts";
import { ask, askHidden, firstLine } from "./prompt.ts";
import { debugLine, place, session } from "./session.ts";
import { tokenEndpoint } from "./target.ts";
import { grant } from "./tokens.ts";

/** Trades email and password for tokens; only the tokens are kept. */
export async function login(call: Call): Promise<void> {
  const { io } = call;
  const { config } = await session(call, { anonymous: true });
  const email = call.args[0] || config.user || (await askEmail(call));
  const password = await passwordOf(call, email);
  const debug = debugLine(io);
  const endpoint = await tokenEndpoint(config.target, debug);
  const tokens = await grant(makeHttp(debug), endpoint, { grant_type: "password", username: email, password });
  const kept = config.user === email ? config : { target: config.target };
  const fresh: Config = { ...kept, login: endpoint, user: email, ...tokens };
  await writeConfig(io.env, fresh);
  const where = await settle(call, fresh);
  io.result({ ok: true, target: config.target, user: email, ...where }, `logged in at ${config.target} as ${email}`);
}

/** Targets the only organization and space there is; with several the person chooses later. */
async function settle(call: Call, fresh: Config): Promise<{ organization?: string; space?: string }> {
  try {
    const { organization, space } = await place(await session(call), call);
    await writeConfig(call.io.env, { ...fresh, organization, space });
    return { organization: organization.name, space: space.name };
  } catch (error) {
    if (!(error instanceof Fault) || !/^no_(organization|space)$/.test(error.code)) throw error;
    call.io.note(`note: ${error.message}; ${error.hint}`);
    return {};
  }
}

export async function logout({ io }: Call): Promise<void> {
  const { target, user } = await readConfig(io.env);
  if (user) await writeConfig(io.env, { target });
  io.result({ ok: true, user }, user ? `logged out ${user}` : "nobody was logged in");
}

function askEmail({ io }: Call): Promise<string> {
  if (io.stdin.isTTY) return ask(io, "Email: ");
  throw wrongUsage("whose login?", "tutti login EMAIL");
}

/** Standard input when told so, else the environment, else the person; never the command line, which others can read. */
async function passwordOf(call: Call, email: string): Promise<string> {
  const { io } = call;
  const fromEnv = io.env["TUTTI_PASSWORD"] || io.env["STACKATO_PASSWORD"];
  if (call.flag("passwordStdin")) return nonEmpty(await firstLine(io.stdin));
  if (fromEnv) return fromEnv;
  if (io.stdin.isTTY) return nonEmpty(await askHidden(io, `Password of ${email}: `));
  throw wrongUsage(
    "there is no terminal to ask for the password at",
    "set TUTTI_PASSWORD, or: tutti login EMAIL --password-stdin < file",
  );
}

function nonEmpty(password: string): string {
  if (password) return password;
  throw new Fault("the password is empty", { code: "no_password" });
}
