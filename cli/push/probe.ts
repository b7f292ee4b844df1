import { setTimeout as pause } from "node:timers/promises";
import type { Http } from "../http.ts";

/** What came back from an address. */
export interface Probed {
  /** The app itself answered, with whatever status. */
  answered: boolean;
  status: number;
  /** Why not, in a few words. */
  why: string;
}

const words: Record<string, string> = {
  unknown_route: "the router does not know the address yet",
  no_endpoints: "the router knows the address, but no instance behind it",
  endpoint_failure: "the router cannot reach the instance, or it closed the connection without an answer",
};

/** Asks the address once, as a browser would. */
export async function probe(http: Http, url: string): Promise<Probed> {
  try {
    const answer = await http.open({ method: "GET", url, headers: { "user-agent": "tutti push" }, patience: 15_000 });
    // The head is all we want; what follows may be endless.
    answer.body.on("error", () => {});
    answer.body.destroy();
    const error = answer.headers["x-cf-routererror"];
    const why = error ? (words[String(error)] ?? String(error)) : "";
    return { answered: !error, status: answer.statusCode, why };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const silent = code === "unreachable_und_err_headers_timeout";
    return {
      answered: false,
      status: 0,
      why: silent ? "the app takes the request and does not answer it within 15 s" : message,
    };
  }
}

/** Asks until the app answers, it is no longer wanted, or the time (milliseconds) is over. */
export async function probeUntil(
  http: Http,
  url: string,
  { limit, stop }: { limit: number; stop?: AbortSignal },
): Promise<Probed> {
  const end = performance.now() + limit;
  for (;;) {
    const found = await probe(http, url);
    if (found.answered || stop?.aborted || performance.now() > end) return found;
    await pause(40);
  }
}
