/** Exit codes of first contact, beside 0 (done, or ours already), 1 and 2. */
export const exits = { claimed: 3, notReady: 4, ssh: 5, hostKey: 6 } as const;

export type Code =
  | "claimed"
  | "not_ready"
  | "not_a_node"
  | "no_controller"
  | "authority_differs"
  | "step_failed"
  | "license_failed"
  | "no_root"
  | "stopped"
  | "ssh_refused"
  | "ssh_timeout"
  | "ssh_unreachable"
  | "ssh_lost"
  | "ssh_no_algorithm"
  | "ssh_no_method"
  | "ssh_no_keys"
  | "ssh_key_refused"
  | "ssh_no_forwarding"
  | "not_ssh"
  | "host_key_differs"
  | "host_key_revoked"
  | "host_key_unknown";

interface Facts {
  readonly code: Code;
  /** What to do next. */
  readonly hint: string;
  readonly exit?: number;
  readonly cause?: unknown;
  /** True when the same may succeed a moment later, because the machine is still starting. */
  readonly passing?: boolean;
}

/** Why first contact did not come about. */
export class BootstrapFault extends Error {
  override name = "BootstrapFault";
  readonly code: Code;
  readonly hint: string;
  readonly exit: number;
  readonly passing: boolean;
  constructor(message: string, { code, hint, exit = exitOf(code), cause, passing = false }: Facts) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
    this.exit = exit;
    this.passing = passing;
  }
}

function exitOf(code: Code): number {
  if (code === "claimed") return exits.claimed;
  if (code === "not_ready") return exits.notReady;
  if (code.startsWith("host_key")) return exits.hostKey;
  return code.includes("ssh") ? exits.ssh : 1;
}

/** Anything that was thrown, as a fault. */
export function faultOf(error: unknown): BootstrapFault {
  if (error instanceof BootstrapFault) return error;
  const { message = String(error) } = error as { message?: string };
  return new BootstrapFault(message, { code: "step_failed", hint: "run the same again", cause: error });
}

/** Several nodes' faults as one: the gravest gives code and hint, nodes with the same trouble share a line. */
export function together(faults: ReadonlyMap<string, BootstrapFault>): BootstrapFault {
  const all = [...faults.values()];
  const [gravest] = all.toSorted((one, other) => other.exit - one.exit);
  if (!gravest) throw new Error("there is no fault to tell of");
  const said = Map.groupBy(faults, ([, { message }]) => message);
  const lines = [...said].map(([message, those]) => `${those.map(([node]) => node).join(", ")}: ${message}`);
  const { code, hint, exit, cause } = gravest;
  return new BootstrapFault(lines.join("\n  "), { code, hint, exit, cause });
}
