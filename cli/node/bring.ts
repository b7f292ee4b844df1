import type { Session } from "../../bootstrap/ssh.ts";
import type { Io } from "../io.ts";
import { liveLine } from "../live.ts";
import { bytes, span, took } from "../show.ts";
import type { LocalBundle } from "./bundles.ts";
import type { MachineFacts } from "./facts.ts";
import { carryOut } from "./reach.ts";
import { deliver } from "./steps.ts";

export interface Bringing {
  readonly io: Io;
  readonly node: string;
  readonly root: string;
  readonly facts: MachineFacts;
  readonly bundle: LocalBundle;
}

/** Puts the agent beside those that are on the machine; what is there already is not sent. */
export async function bring(ssh: Session, { io, node, root, facts, bundle }: Bringing): Promise<void> {
  const { name, sha256, bytes: content } = bundle;
  if (facts.bundles.includes(name)) return;
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  const line = liveLine(io);
  line.show(() => `${node}: bringing the agent (${bytes(content.length)}), ${span(elapsed() / 1000)}`);
  try {
    await carryOut(ssh, deliver(root, { name, sha256, architecture: facts.architecture ?? "x64" }, content));
  } finally {
    line.end();
  }
  io.note(`${io.paint("green", "✓")} ${node}: agent ${name} brought (${bytes(content.length)} in ${took(elapsed())})`);
}
