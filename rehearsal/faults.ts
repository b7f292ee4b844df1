import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { actionOf, isWrite } from "./actions.ts";

/** What goes wrong. */
export type Fault =
  | { readonly kind: "throttle" }
  /** No machines of this type in this zone. */
  | { readonly kind: "capacity"; readonly type: string; readonly zone: string }
  | { readonly kind: "error"; readonly status: number; readonly code: string; readonly message: string }
  /** It was done, and the answer is an error all the same. */
  | { readonly kind: "done and lost" }
  /** Milliseconds. */
  | { readonly kind: "delay"; readonly ms: number };

export interface Rule {
  /** `RunInstances`, `PutObject` …; `*` is every call. */
  readonly action: string;
  readonly fault: Fault;
  /** How many calls it meets; default 1. */
  readonly times?: number;
}

export interface ApiCall {
  readonly action: string;
  readonly write: boolean;
  /** Of the writes since the counts were last cleared, from 1; 0 for what only reads. */
  readonly nth: number;
}

/** What stands in front of the API: it counts, and it does what a bad day does. */
export interface Faults {
  inject(rule: Rule): void;
  /** Told of every call that was done, before its answer goes out; the answer waits for it. */
  onDone(listener: ((call: ApiCall) => void | Promise<void>) | undefined): void;
  /** Action → calls since the counts were last cleared. */
  readonly counts: ReadonlyMap<string, number>;
  /** No faults, no listener, no counts. */
  clear(): void;
}

/**
 * Here the front itself says how often anything was changed, as a number: whoever watches need not ask the API, which is
 * slow, as long as it stays the same.
 */
export const changesPath = "/tutti/changes";

export interface Front extends Faults {
  /** Passes requests on to the API at this port of the loopback. */
  serve(port: number): ReturnType<typeof createServer>;
}

export function front(): Front {
  const counts = new Map<string, number>();
  let rules: { rule: Rule; left: number }[] = [];
  let listener: ((call: ApiCall) => void | Promise<void>) | undefined;
  let writes = 0;
  let changes = 0;

  const faultFor = (action: string): Fault | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && (rule.action === "*" || rule.action === action));
    if (found) found.left--;
    return found?.rule.fault;
  };

  const handle = async (incoming: IncomingMessage, answer: ServerResponse, port: number) => {
    if (incoming.url === changesPath)
      return send(answer, { status: 200, headers: {}, body: Buffer.from(`${changes}`) });
    const body = await read(incoming);
    const action = actionOf(incoming.method ?? "GET", incoming.url ?? "/", incoming.headers["content-type"], body);
    counts.set(action, (counts.get(action) ?? 0) + 1);
    const fault = faultFor(action);
    if (fault?.kind === "delay") await sleep(fault.ms);
    const refused = fault && refusal(fault);
    if (refused) return send(answer, refused);
    const done = await pass(incoming, body, port);
    const write = isWrite(action);
    if (write) changes++;
    await listener?.({ action, write, nth: write ? ++writes : 0 });
    send(answer, fault?.kind === "done and lost" ? lost : done);
  };

  return {
    inject: (rule) => void rules.push({ rule, left: rule.times ?? 1 }),
    onDone: (told) => {
      listener = told;
    },
    counts,
    clear() {
      counts.clear();
      rules = [];
      listener = undefined;
      writes = 0;
    },
    serve: (port) =>
      createServer((incoming, answer) => {
        handle(incoming, answer, port).catch(() => answer.destroy());
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

function send(answer: ServerResponse, { status, headers, body }: Answer): void {
  answer.writeHead(status, headers);
  answer.end(body);
}

function refusal(fault: Fault): Answer | undefined {
  if (fault.kind === "throttle") return failure(503, "RequestLimitExceeded", "Request limit exceeded.");
  if (fault.kind === "error") return failure(fault.status, fault.code, fault.message);
  if (fault.kind !== "capacity") return undefined;
  const { type, zone } = fault;
  // EC2's own sentence: programs read the type and the zone out of it.
  const message = `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`;
  return failure(500, "InsufficientInstanceCapacity", message);
}

/** In both shapes at once: EC2 reads its errors below Response/Errors, the other services below ErrorResponse. */
function failure(status: number, code: string, message: string): Answer {
  const inner = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const body = `<Response><Errors>${inner}</Errors>${inner}<RequestID>rehearsal</RequestID></Response>`;
  return { status, headers: { "content-type": "text/xml" }, body: Buffer.from(body) };
}

const lost = failure(500, "InternalError", "An internal error has occurred");

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function pass(incoming: IncomingMessage, body: Buffer, port: number): Promise<Answer> {
  const { method, url: path, headers } = incoming;
  return new Promise((resolve, reject) => {
    // The body is whole by now, whatever way it came.
    const { "transfer-encoding": _, ...kept } = headers;
    const length = method === "GET" || method === "HEAD" ? {} : { "content-length": String(body.length) };
    const passed = request({ port, host: "127.0.0.1", method, path, headers: { ...kept, ...length } }, (answer) => {
      read(answer).then((text) => {
        const { "transfer-encoding": __, connection: ___, ...own } = answer.headers;
        resolve({ status: answer.statusCode ?? 502, headers: own, body: text });
      }, reject);
    });
    passed.once("error", reject);
    passed.end(body);
  });
}
