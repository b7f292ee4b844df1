import { readFileSync } from "node:fs";
import { bootstrap as firstContact } from "../bootstrap/bootstrap.ts";
import { foresee } from "../bootstrap/foresee.ts";
import type { BootstrapOptions, BootstrapResult } from "../bootstrap/options.ts";
import { receiptOf, rotatedIn } from "../bootstrap/receipt.ts";
import { type Party, withNodes } from "./bootstrap/find.ts";
import { identities } from "./bootstrap/identities.ts";
import * as keep from "./bootstrap/keep.ts";
import { type FirstUser, firstUser } from "./bootstrap/owner.ts";
import { asker, teller } from "./bootstrap/questions.ts";
import type { Call } from "./call.ts";
import { writeConfig } from "./config.ts";
import { exits, Fault } from "./fault.ts";
import { table } from "./show.ts";

/** `tutti bootstrap`: first contact with a new cluster, over ssh. Safe to run again at any time. */
export async function bootstrap(call: Call): Promise<number> {
  return await withNodes(call, async (party) => {
    const before = keep.receiptFor(call.io.env, party.nodes);
    const keys = await identities(call);
    const user = await firstUser(call, { nodes: party.nodes, before });
    const options = { ...optionsOf(call, party), keys, login: user.login, rotated: rotatedIn(before?.receipt) };
    return call.flag("plan") ? await plan(call, options) : await carryOut(call, { options, user, before });
  });
}

function optionsOf(call: Call, { nodes, console }: Party): Omit<BootstrapOptions, "keys" | "login"> {
  const { io } = call;
  return {
    nodes,
    console,
    knownHosts: keep.keptKnownHosts(io.env) + named(call.text("knownHosts")),
    ask: asker(io),
    authority: (cluster, make) => keep.keptAuthority(io.env, cluster, make),
    onPinned: (target, shown) => keep.keepKnownHost(io.env, target, shown),
    told: teller(io, nodes.length),
    timeout: (call.whole("timeout", { min: 1 }) ?? 600) * 1000,
  };
}

function named(file: string | undefined): string {
  if (file === undefined) return "";
  try {
    return `\n${readFileSync(file, "utf8")}`;
  } catch (cause) {
    throw new Fault(`${file} cannot be read: ${(cause as Error).message}`, {
      ...{ code: "bad_known_hosts", cause },
      hint: "--known-hosts FILE, in the format of OpenSSH",
    });
  }
}

async function plan({ io }: Call, options: BootstrapOptions): Promise<number> {
  const nodes = await foresee(options);
  const busy = nodes.filter(({ steps }) => steps.length > 0);
  const lines = busy.flatMap(({ node, steps }) => [node, ...steps.map((step) => `  ${step}`)]);
  io.result(
    { ok: true, nodes, changes: busy.length > 0 },
    lines.join("\n") || "nothing to do: it is ready, and it is claimed",
  );
  return busy.length > 0 ? exits.changes : exits.done;
}

interface Contact {
  readonly options: BootstrapOptions;
  readonly user: FirstUser;
  readonly before: keep.KeptReceipt | undefined;
}

async function carryOut({ io }: Call, { options, user, before }: Contact): Promise<number> {
  const saved: Promise<void>[] = [];
  // From the license step on the login is true, whatever becomes of the nodes that are still waited for.
  const onLicensed: BootstrapOptions["onLicensed"] = ({ email, api, outcome: _, ...tokens }) => {
    saved.push(writeConfig(io.env, { target: api, login: api, user: email, ...tokens }));
    const password = user.unseen();
    if (password && !io.json) io.note(`  password of ${email}, shown this once: ${password}`);
  };
  const contact = firstContact({ ...options, onLicensed });
  const [end] = await Promise.allSettled([contact]);
  await Promise.all(saved);
  if (saved.length > 0 && !io.json) keep.forgetPending(io.env, options.nodes);
  if (end.status === "rejected") throw end.reason;
  const receipt = keep.keepReceipt(io.env, receiptOf(end.value, before?.receipt, Date.now()), before);
  const { login: _, ...told } = end.value;
  io.result({ ok: true, ...told, password: user.unseen(), receipt }, farewell(end.value, receipt));
  keep.forgetPending(io.env, options.nodes);
  return exits.done;
}

function farewell({ outcome, cluster, api, email, nodes, seconds }: BootstrapResult, receipt: string): string {
  const rows = nodes.map(({ name, ssh, roles, hostKey, steps }) => [
    name,
    ssh,
    roles.join(","),
    hostKey,
    steps.join(", "),
  ]);
  const head = outcome === "done" ? `${cluster} is yours` : `${cluster} is already yours`;
  return [
    `${head} (${seconds.toFixed(1)} s)`,
    "",
    table(["NODE", "SSH", "ROLES", "HOST KEY", "DONE"], rows, ""),
    "",
    `  API      ${api}`,
    `  login    ${email}, logged in here`,
    `  receipt  ${receipt}`,
    "  next     tutti status; tutti push",
  ].join("\n");
}
