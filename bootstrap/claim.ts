import type { Call, Run } from "./call.ts";
import { visitOptions } from "./call.ts";
import { faultOf } from "./fault.ts";
import { type Licensed, type Login, takeLicense } from "./license.ts";
import { loopback } from "./loopback.ts";
import type { NodeFacts, Picture } from "./picture.ts";
import { type Visited, visit } from "./visit.ts";

/** Base URL of a cluster's API, as its router serves it. */
export function apiOf({ domain, ports }: Pick<NodeFacts, "domain" | "ports">): string {
  return `http://api.${domain}${ports.router === 80 ? "" : `:${ports.router}`}`;
}

export interface Claimed {
  readonly licensed: Licensed;
  readonly email: string;
  readonly api: string;
  readonly node: NodeFacts;
}

/** Takes the license step on the controller's own loopback, through the ssh connection; comes again when that is lost. */
export async function claimAt({ target }: Call, visited: Visited, run: Run): Promise<Claimed> {
  for (let now = visited; ; ) {
    try {
      return await claimOnce(now, run, (why) => run.tell(target, "waiting", why));
    } catch (error) {
      now.session.close();
      const fault = faultOf(error);
      if (fault.code !== "ssh_lost" || run.stop.aborted || performance.now() > run.deadline) throw fault;
      now = await visit(
        target,
        visitOptions(target, run, () => {}),
      );
    }
  }
}

async function claimOnce({ session, picture }: Visited, run: Run, tell: (why: string) => void): Promise<Claimed> {
  const { node } = picture;
  if (!node) throw new Error("a node that is ready has no node.json");
  const api = apiOf(node);
  const line = loopback({
    open: () => session.forward(node.ports.controller),
    host: new URL(api).host,
    ca: authorityOn(picture),
  });
  const login = loginAt(node, run);
  try {
    const { deadline, stop, pace } = run;
    const licensed = await takeLicense(line.ask, login, { deadline, stop, pace, tell });
    run.options.onLicensed?.({ ...licensed, api, email: login.email });
    return { licensed, api, node, email: login.email };
  } finally {
    line.close();
  }
}

function loginAt({ domain, ports }: NodeFacts, run: Run): Login {
  const { kept, email = kept?.email ?? `you@${domain}`, unixPassword } = run.options.login;
  // Tokens of one cluster are never sent to another.
  const mine = kept?.api === apiOf({ domain, ports }) && kept.email === email;
  const makeUp = run.options.login.makeUp && (() => run.password(true) ?? "");
  return { email, unixPassword, password: run.password(), makeUp, refreshToken: mine ? kept.refreshToken : undefined };
}

/**
 * Whose certificate the controller has to show. Where its port speaks plain HTTP, that is what is spoken: the channel ends on
 * the machine itself, and a controller that says it is ready is the one who holds the port.
 */
export function authorityOn({ node, plain }: Picture): string | undefined {
  return plain ? undefined : node?.join?.ca;
}
