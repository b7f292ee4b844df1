import type { FastifyRequest } from "fastify";
import type { User } from "../records.ts";
import type { Tables } from "../tables.ts";
import { ApiError, kinds, notAuthorized } from "./errors.ts";
import { markOf, type Tokens } from "./tokens.ts";

/** Who sent the request, by its bearer token. */
export async function authenticate(authorization: string | undefined, tables: Tables, tokens: Tokens): Promise<User> {
  if (!authorization) throw new ApiError(kinds.notAuthenticated, "Authentication error");
  const token = /^bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  const claims = token ? await tokens.read(token) : undefined;
  const user = claims?.use === "access" ? await tables.users.find(claims.user) : undefined;
  if (!claims || !user || markOf(user) !== claims.mark) throw new ApiError(kinds.invalidToken, "Invalid Auth Token");
  return user;
}

/**
 * Whether the user may do it: the one place that decides. Until there are roles only admins may do anything; the
 * others may see who they are.
 */
export function authorize(user: User, request: Pick<FastifyRequest, "method" | "url">): void {
  if (user.admin) return;
  if (request.method === "GET" && request.url === `/v3/users/${user.guid}`) return;
  throw notAuthorized();
}
