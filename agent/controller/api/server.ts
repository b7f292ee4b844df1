import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { Readable } from "node:stream";
import multipart from "@fastify/multipart";
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { type Tls, webServer } from "../../bus/web.ts";
import { Answer, type Api, type Call, type Endpoint } from "./api.ts";
import { asApiError } from "./asApiError.ts";
import { authenticate, authorize } from "./authorize.ts";
import { baseOfRequest } from "./base.ts";
import { endpoints } from "./endpoints.ts";
import { ApiError, errorBody, kinds } from "./errors.ts";
import { licenseGate } from "./gate.ts";
import { parsers } from "./parsers.ts";
import { type Tokens, tokens } from "./tokens.ts";

/** Bytes of a JSON body. */
const bodyLimit = 1024 * 1024;

/** The HTTP server without its endpoints: what every answer has in common. */
export function bareServer(log: Api["log"], tls?: Tls): FastifyInstance {
  const app = Fastify({
    logger: false,
    ...(tls ? { serverFactory: secureServer(tls) } : {}),
    bodyLimit,
    genReqId: requestId,
    // Clients write some addresses with a slash at the end.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
  });
  app.setErrorHandler((error, request, reply) => refuse(log, { error, request, reply }));
  app.setNotFoundHandler((request, reply) => {
    const error = new ApiError(kinds.unknownRoute, "Unknown request");
    return refuse(log, { error, request, reply });
  });
  app.addHook("onSend", async (request, reply) => void reply.header("x-vcap-request-id", request.id));
  app.addHook("onResponse", async (request, reply) => {
    // Without the query: some clients put secrets there.
    const { method, id, url } = request;
    const fields = { request: id, method, path: url.split("?")[0], status: reply.statusCode, ms: reply.elapsedTime };
    log.debug(fields, "A request was answered");
  });
  return app;
}

type ServerFactory = (handler: RequestListener, options: FastifyHttpOptions<Server>) => Server;

/** What Fastify would make by itself, but that it follows a renewal of the certificate. */
function secureServer(tls: Tls): ServerFactory {
  return (handler, { keepAliveTimeout = 72_000, requestTimeout = 0 }) =>
    Object.assign(webServer(tls, handler), { keepAliveTimeout, requestTimeout });
}

/** Adds the API. It has a scope of its own: what other components fetch is neither parsed nor guarded by it. */
export function mountApi(app: FastifyInstance, api: Api): void {
  app.register(async (scope) => {
    parsers(scope);
    await scope.register(multipart, { throwFileSizeLimit: false });
    const believed = tokens(api.keys.tokens);
    const gate = licenseGate(api.tables);
    for (const endpoint of endpoints(api, believed)) mountEndpoint(scope, api, { endpoint, believed, gate });
  });
}

interface Mounting {
  endpoint: Endpoint;
  believed: Tokens;
  gate: () => Promise<void>;
}

function mountEndpoint(scope: FastifyInstance, { tables }: Api, { endpoint, believed, gate }: Mounting): void {
  const { method, path: url, run, bodyLimit } = endpoint;
  const users = new WeakMap<FastifyRequest, Call["user"]>();
  scope.route({
    method,
    url,
    ...(bodyLimit && { bodyLimit }),
    // Before the body is read: who may not come in does not get to fill the disk.
    async onRequest(request) {
      if (!endpoint.early) await gate();
      if (endpoint.open) return;
      const user = await authenticate(request.headers.authorization, tables, believed);
      authorize(user, request);
      users.set(request, user);
    },
    handler: async (request, reply) => send(reply, await run(callOf(request, users.get(request)))),
  });
}

function callOf(request: FastifyRequest, user: Call["user"] | undefined): Call {
  const base = baseOfRequest(request);
  return {
    params: request.params as Record<string, string>,
    query: lastOfEach(request.query as Record<string, string | string[]>),
    body: request.body,
    base,
    href: (path) => ({ href: `${base}${path}` }),
    request,
    get user() {
      if (!user) throw new Error("an endpoint that is open to all asked who the user is");
      return user;
    },
  };
}

const lastOfEach = (query: Record<string, string | string[]>) =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value].flat().at(-1) ?? ""]));

function send(reply: FastifyReply, outcome: unknown) {
  if (!(outcome instanceof Answer)) return reply.code(200).send(outcome);
  const { status, body, headers } = outcome;
  return reply
    .code(status)
    .headers(headers)
    .send(body as Readable | object | undefined);
}

interface Refusal {
  error: unknown;
  request: FastifyRequest;
  reply: FastifyReply;
}

function refuse(log: Api["log"], { error, request, reply }: Refusal) {
  const told = asApiError(error);
  const fields = { request: request.id, method: request.method, path: request.url.split("?")[0] };
  if (told.status >= 500 && told.code !== kinds.unavailable[1])
    log.error({ ...fields, error: describe(told.cause ?? error) }, "A request failed");
  return reply.code(told.status).type("application/json; charset=utf-8").send(errorBody(told));
}

const describe = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** The router's id of the request, when it looks like one. */
function requestId({ headers }: IncomingMessage): string {
  const given = headers["x-vcap-request-id"];
  return typeof given === "string" && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}
