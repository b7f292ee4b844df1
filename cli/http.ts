import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import { Agent, type Dispatcher } from "undici";
import type { Answer } from "./answers.ts";
import { Fault } from "./fault.ts";

export interface Request {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer | Readable | null;
  /** Milliseconds of silence until we give up. */
  patience?: number;
}

export interface Http {
  send(request: Request): Promise<Answer>;
  /** The answer's body as it comes; its status is the caller's to look at. */
  open(request: Request): Promise<Dispatcher.ResponseData>;
}

/**
 * `*.localhost` is this machine by RFC 6761, but glibc resolves only `localhost` itself. Everything else is the
 * system's business.
 */
export const lookup: LookupFunction = (host, options, found) => {
  if (!/(^|\.)localhost\.?$/i.test(host)) return systemLookup(host, options, found);
  if (options.all) found(null, [{ address: "127.0.0.1", family: 4 }]);
  else found(null, "127.0.0.1", 4);
};

const patience = 60_000;

/** HTTP with connections kept open, names under localhost resolved, and failures put into words. */
export function makeHttp(debug: (line: string) => void = () => {}): Http {
  const agent = new Agent({ connect: { lookup, timeout: 10_000 }, keepAliveTimeout: 10_000 });
  const open = async (request: Request) => {
    const { origin, pathname, search } = address(request.url);
    const started = performance.now();
    try {
      const answer = await agent.request({
        origin,
        path: pathname + search,
        method: request.method as Dispatcher.HttpMethod,
        headers: request.headers ?? {},
        body: request.body ?? null,
        headersTimeout: request.patience ?? patience,
        bodyTimeout: request.patience ?? patience,
      });
      // Headers and bodies are never shown: they carry tokens and passwords.
      debug(`${request.method} ${request.url} ${answer.statusCode} ${Math.round(performance.now() - started)} ms`);
      return answer;
    } catch (error) {
      debug(`${request.method} ${request.url} ${(error as Error).message}`);
      throw unreachable(request.url, error);
    }
  };
  const send = async (request: Request): Promise<Answer> => {
    const { statusCode, headers, body } = await open(request);
    const text = await body.text().catch((error) => {
      throw unreachable(request.url, error);
    });
    return {
      status: statusCode,
      routerError: single(headers["x-cf-routererror"]),
      text,
      type: single(headers["content-type"]) ?? "",
      location: single(headers["location"]),
    };
  };
  return { send, open };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function address(url: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw new Fault(`"${url}" is not a URL`, { code: "bad_url", hint: "tutti target URL" });
}

const solo = "is the cluster up? npx tutti solo up starts one on this machine";

/** Why nothing came back, by the code of the lowest cause. */
function unreachable(url: string, error: unknown): Fault {
  const { origin, hostname } = new URL(url);
  const code = deepest(error);
  const said: Record<string, [string, string]> = {
    ECONNREFUSED: [`nothing listens at ${origin} (connection refused)`, solo],
    ENOTFOUND: [`the name ${hostname} is not known`, "check the spelling: tutti target shows where commands go"],
    EAI_AGAIN: [`the name ${hostname} cannot be resolved now`, "check this machine's network"],
    EHOSTUNREACH: [`there is no way to ${origin} from here`, "check this machine's network"],
    ENETUNREACH: [`there is no way to ${origin} from here`, "check this machine's network"],
    UND_ERR_CONNECT_TIMEOUT: [`${origin} does not answer (no connection within 10 s)`, solo],
    UND_ERR_HEADERS_TIMEOUT: [`${origin} took the request but did not answer in time`, "tutti status; then try again"],
    UND_ERR_BODY_TIMEOUT: [`${origin} stopped in the middle of its answer`, "tutti status; then try again"],
    ECONNRESET: [`${origin} closed the connection before answering`, "the controller may be restarting: try again"],
    UND_ERR_SOCKET: [`${origin} closed the connection before answering`, "the controller may be restarting: try again"],
  };
  const [message, hint] = said[code] ?? [`${origin} cannot be reached: ${(error as Error).message}`, solo];
  return new Fault(message, {
    code: said[code] ? `unreachable_${code.toLowerCase()}` : "unreachable",
    hint,
    cause: error,
  });
}

function deepest(error: unknown): string {
  const { code, cause, errors } = error as { code?: string; cause?: unknown; errors?: unknown[] };
  const inner = errors?.[0] ?? cause;
  return inner ? deepest(inner) : (code ?? "");
}
