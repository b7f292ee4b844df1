import type { RoleName } from "../roles/role.ts";
import { nameOf } from "./knownHosts.ts";
import type { Address } from "./ssh.ts";

/** A machine that shall be contacted. */
export interface Target extends Address {
  /** What people call it: the node's name, or what was typed. */
  readonly name: string;
  /** EC2's name of the machine: its console tells the host keys. */
  readonly instance?: string | undefined;
  /** Undefined: learned on the machine. */
  readonly roles?: readonly RoleName[] | undefined;
}

/**
 * The name a machine is remembered by. An instance's id is never used again; addresses are, by machines that have other keys.
 */
export function rememberedAs({ instance, host, port }: Target): string {
  return instance ?? nameOf(host, port);
}
