import { type Run, runOf, visitOptions } from "./call.ts";
import { apiOf, authorityOn } from "./claim.ts";
import { watch } from "./commands.ts";
import { contact } from "./contact.ts";
import { faultOf } from "./fault.ts";
import { judge } from "./judge.ts";
import { loopback } from "./loopback.ts";
import type { BootstrapOptions } from "./options.ts";
import { type Picture, pictures } from "./picture.ts";
import type { Session } from "./ssh.ts";
import { rememberedAs, type Target } from "./target.ts";

export interface Foreseen {
  readonly node: string;
  /** What would be done there, in order; empty when there is nothing to do. */
  readonly steps: readonly string[];
}

/** What `bootstrap` would do: looks at every node once, changes nothing and waits for nothing. Rejects when a host key differs. */
export async function foresee(options: BootstrapOptions): Promise<Foreseen[]> {
  // Nobody is asked: what a person would answer is not known yet. The time is up from the beginning: nothing is tried twice.
  const run = runOf({ ...options, ask: undefined, timeout: 0 });
  try {
    return await Promise.all(options.nodes.map((target) => lookAt(target, run)));
  } finally {
    run.halt();
  }
}

async function lookAt(target: Target, run: Run): Promise<Foreseen> {
  try {
    const session = await contact(
      target,
      visitOptions(target, run, () => {}),
    );
    const steps = await stepsAt(target, session, run).finally(() => session.close());
    return { node: target.name, steps };
  } catch (error) {
    const { code, message } = faultOf(error);
    if (code === "host_key_differs" || code === "host_key_revoked") throw error;
    const step = code === "host_key_unknown" ? "ask whether its host key is right" : "wait for it";
    return { node: target.name, steps: [`${step}: ${message}`] };
  }
}

async function stepsAt(target: Target, session: Session, run: Run): Promise<string[]> {
  const picture = await lookOnce(session);
  const { node, hasAuthority } = picture;
  const verdict = judge(picture);
  const lacks = node?.join && node.roles.includes("core") && !hasAuthority && !target.instance;
  const licensed =
    verdict.state === "ready" && node?.roles.includes("controller") ? await isLicensed(session, picture) : true;
  return [
    ...(lacks && run.options.authority ? ["bring the cluster's authority"] : []),
    ...(verdict.state === "ready" ? [] : [`wait until it is ready: ${verdict.why}`]),
    ...(licensed ? [] : ["take the license step"]),
    ...(run.options.rotated?.has(rememberedAs(target)) ? [] : picture.passwords).map(
      (user) => `give the user ${user} a new password`,
    ),
  ];
}

async function lookOnce(session: Session): Promise<Picture> {
  let seen: Picture | undefined;
  const { err } = await session.exec(
    watch({ within: 1, once: true }),
    pictures((picture) => (seen = picture)),
  );
  if (!seen) throw new Error(err.trim() || "it cannot be looked at");
  return seen;
}

async function isLicensed(session: Session, picture: Picture): Promise<boolean> {
  const { node } = picture;
  if (!node) return false;
  const open = () => session.forward(node.ports.controller);
  const line = loopback({ open, host: new URL(apiOf(node)).host, ca: authorityOn(picture) });
  try {
    const { body } = await line.ask({ method: "GET", path: "/stackato/license" });
    return (body as { licensed?: boolean } | undefined)?.licensed === true;
  } finally {
    line.close();
  }
}
