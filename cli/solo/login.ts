import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Call } from "../call.ts";
import type { Login } from "./license.ts";
import type { Place } from "./place.ts";

/** The login of this place, made at the first start and kept before it is used, so that it cannot be lost in between. */
export function loginOf({ text, io }: Call, place: Place, domain: string): Login {
  const email = text("email") ?? io.env["STACKATO_EMAIL"];
  const given = io.env["TUTTI_PASSWORD"] || io.env["STACKATO_PASSWORD"];
  if (existsSync(place.loginFile)) {
    const kept = JSON.parse(readFileSync(place.loginFile, "utf8")) as Login;
    if ((email ?? kept.email) !== kept.email || (given ?? kept.password) !== kept.password)
      io.note(`note: this cluster has its first user since its first start: ${kept.email}; another login is not made`);
    return kept;
  }
  const login = { email: email ?? `you@${domain}`, password: given ?? randomBytes(15).toString("base64url") };
  writeFileSync(place.loginFile, `${JSON.stringify(login)}\n`, { mode: 0o600 });
  return login;
}
