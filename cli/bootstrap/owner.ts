import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Owner } from "../../bootstrap/options.ts";
import type { Target } from "../../bootstrap/target.ts";
import type { Call } from "../call.ts";
import { readConfig } from "../config.ts";
import { Fault } from "../fault.ts";
import { ask, askHidden } from "../prompt.ts";
import { type KeptReceipt, keepPending, pendingFor } from "./keep.ts";

/** Who the first user is to be. */
export interface FirstUser {
  readonly login: Owner;
  /** The password that was made up, now or in a run that was cut off, and that nobody has seen yet. */
  unseen(): string | undefined;
}

interface Known {
  readonly nodes: readonly Target[];
  readonly before: KeptReceipt | undefined;
}

/**
 * From the form's file, the environment, an earlier run or the login that is kept; else the person is asked; else the password
 * is made up. Never from the command line, which others can read.
 */
export async function firstUser(call: Call, { nodes, before }: Known): Promise<FirstUser> {
  const { io } = call;
  const form = formIn(call.text("license"));
  const password = form["password"] || io.env["TUTTI_PASSWORD"] || io.env["STACKATO_PASSWORD"];
  const given = call.text("email") ?? form["email"] ?? (io.env["STACKATO_EMAIL"] || undefined);
  const email = given ?? before?.receipt.email;
  if (password) return { login: { email, password, unixPassword: form["unix_password"] }, unseen: () => undefined };
  const pending = pendingFor(io.env, nodes);
  if (pending && (given ?? pending.email) === pending.email) return { login: pending, unseen: () => pending.password };
  if (pending) throw otherFirst(pending.email);
  return await unnamed(call, { nodes, before }, email);
}

/** It may have been taken by the cluster already: it must not be lost for another. */
function otherFirst(email = "you@ its domain"): Fault {
  return new Fault(`an earlier run, which was cut off, has made up a password for ${email}`, {
    code: "other_first",
    hint: "let it come to its end first: the same, with that --email or without any",
  });
}

/** Nobody has named a password: the kept login, the person, or chance. */
async function unnamed(call: Call, { nodes, before }: Known, email: string | undefined): Promise<FirstUser> {
  const { io } = call;
  const { target: api, user, refreshToken } = await readConfig(io.env);
  const kept = api && user && refreshToken ? { api, email: user, refreshToken } : undefined;
  const ours = before !== undefined && kept?.api === before.receipt.api;
  const asked = io.stdin.isTTY && !io.json && !call.flag("plan") && !ours;
  const who = email ?? (asked ? (await ask(io, "E-mail address of the first user: ")) || undefined : undefined);
  const typed = asked ? await askHidden(io, "Password of the first user (empty: one is made up): ") : "";
  if (typed) return { login: { email: who, password: typed }, unseen: () => undefined };
  let made: string | undefined;
  const makeUp = () => {
    made ??= randomBytes(15).toString("base64url");
    keepPending(io.env, nodes, { email: who, password: made });
    return made;
  };
  return { login: { email: who, kept, makeUp }, unseen: () => made };
}

/** The license step's form as a file: JSON, or lines `email=…`, `password=…`, `unix_password=…`. */
export function formIn(file: string | undefined): Record<string, string | undefined> {
  if (file === undefined) return {};
  const text = readForm(file);
  const json = /^\s*\{/.test(text);
  try {
    const pairs = json ? Object.entries(JSON.parse(text) as object) : text.split(/\r?\n/).flatMap(pairOf);
    return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]));
  } catch (cause) {
    // The parser's own words quote the file, and that has a password in it.
    throw new Fault(`${file} is no form`, {
      code: "bad_license",
      hint: "JSON, or lines email=… and password=…",
      cause,
    });
  }
}

function pairOf(line: string): [string, string][] {
  const [, name, value = ""] = /^\s*([A-Za-z_]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
  return name ? [[name, value]] : [];
}

function readForm(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Fault(`${file} cannot be read: ${(cause as Error).message}`, {
      code: "bad_license",
      hint: "--license FILE",
      cause,
    });
  }
}
