import { BootstrapFault, type Code } from "./fault.ts";
import { describe, type HostKey, sameKey } from "./hostKey.ts";

/** What is known of a connection when it fails. */
export interface Talk {
  readonly address: { readonly host: string; readonly port: number; readonly user: string };
  /** The keys that the host was expected to show. */
  readonly hostKeys: readonly HostKey[];
  /** The key that it has shown. */
  shown?: HostKey | undefined;
  readonly offered: { readonly name: string; readonly fingerprints: readonly string[] }[];
  /** The methods that it would take. */
  methods?: readonly string[];
  /** It has taken one, and wants another too. */
  partial?: boolean | null;
  /** The first bytes that it has sent. */
  words: string;
}

const where = ({ host, port }: Talk["address"]) => (port === 22 ? host : `${host} port ${port}`);

/** Why the port could not be reached. */
export function unreached(error: NodeJS.ErrnoException, address: Talk["address"]): BootstrapFault {
  const place = where(address);
  const gate = "does the firewall let this machine in (aws.ssh.from in cluster.yaml, a VPN)?";
  const kinds: Record<string, [Code, string, string]> = {
    ECONNREFUSED: [
      "ssh_refused",
      `ssh port closed: ${place} refuses connections`,
      "does sshd run there, at this port?",
    ],
    ETIMEDOUT: ["ssh_timeout", `${place} does not answer`, gate],
    EHOSTUNREACH: ["ssh_unreachable", `there is no way to ${place} from here`, gate],
    ENETUNREACH: ["ssh_unreachable", `there is no way to ${place} from here`, "check this machine's network"],
    ECONNRESET: ["ssh_lost", `${place} closed the connection`, "run the same again"],
  };
  const [code, message, hint] = kinds[error.code ?? ""] ?? [
    "ssh_unreachable",
    `${place} cannot be reached: ${error.message}`,
    "check the name and this machine's network",
  ];
  // A name that nobody knows will not be known in a minute; everything else may be a machine that is starting.
  return new BootstrapFault(message, { code, hint, cause: error, passing: error.code !== "ENOTFOUND" });
}

const garbage = /Invalid identification|greeting|Header line|Invalid header|Bad packet|packet length/i;

/** Why a connection did not become a session, in words of the person who has to do something about it. */
export function sshFault(error: Error & { level?: string }, talk: Talk): BootstrapFault {
  if (error instanceof BootstrapFault) return error;
  const { address, words } = talk;
  const stranger = words !== "" && !words.includes("SSH-");
  if (stranger || garbage.test(error.message)) return notSsh(error, talk);
  if (/verification failed/.test(error.message)) return differs(talk, error);
  if (/no matching host key/.test(error.message)) return differs({ ...talk, shown: undefined }, error);
  if (error.level === "client-authentication" || /Too many authentication/i.test(error.message))
    return unauthenticated(error, talk);
  if (/no matching/.test(error.message))
    return new BootstrapFault(`${where(address)} and tutti share no algorithm (${error.message})`, {
      ...{ code: "ssh_no_algorithm", cause: error },
      hint: "its sshd offers only what is too old, or too new: look at KexAlgorithms, Ciphers and MACs in its sshd_config",
    });
  const silent = error.level === "client-timeout";
  const message = silent
    ? `${where(address)} takes connections and says nothing`
    : `${where(address)} closed the connection`;
  const code = silent ? "ssh_timeout" : "ssh_lost";
  return new BootstrapFault(message, {
    code,
    cause: error,
    passing: true,
    hint: "is it still starting? Run the same again",
  });
}

function notSsh(cause: Error, { address, words }: Talk): BootstrapFault {
  const line = (words.split(/[\r\n]/)[0] ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 60);
  return new BootstrapFault(`what answers at ${where(address)} is not an ssh server: it says "${line}"`, {
    ...{ code: "not_ssh", cause },
    hint: "is that the right port? --host user@host:port",
  });
}

/** Both fingerprints, so that the person can compare them with what they know. */
export function differs(
  { address, hostKeys, shown }: Pick<Talk, "address" | "hostKeys" | "shown">,
  cause?: unknown,
): BootstrapFault {
  const expected = hostKeys.map(describe).join(" or ");
  const copied = shown && hostKeys.some((known) => sameKey(known, shown));
  const instead = copied
    ? `it shows ${describe(shown)} and cannot prove that it is its own`
    : `it shows ${shown ? describe(shown) : "a key of another kind only"}`;
  return new BootstrapFault(`the host key of ${where(address)} differs: expected ${expected}, ${instead}`, {
    ...{ code: "host_key_differs", cause },
    hint: "somebody may be in between: nothing was sent. If the machine was made anew, remove its line from the known hosts",
  });
}

export function revoked({ address, shown }: Pick<Talk, "address"> & { shown: HostKey }): BootstrapFault {
  return new BootstrapFault(`${where(address)} shows a host key that was revoked: ${describe(shown)}`, {
    code: "host_key_revoked",
    hint: "somebody has this key who should not: give the machine new ones, or make it anew",
  });
}

function unauthenticated(cause: Error, { address, offered, methods = [], partial }: Talk): BootstrapFault {
  const { user } = address;
  const keys = offered.flatMap(({ name, fingerprints }) => fingerprints.map((one) => `${name} ${one}`));
  const list = methods.join(", ") || "nothing";
  if (partial)
    return new BootstrapFault(`${where(address)} takes the key of ${user}, and then wants ${list} too`, {
      ...{ code: "ssh_no_method", cause },
      hint: "let a key alone be enough for this user (AuthenticationMethods in sshd_config)",
    });
  if (methods.length > 0 && !methods.includes("publickey"))
    return new BootstrapFault(`${where(address)} lets ${user} in by ${list} only, and tutti has keys only`, {
      ...{ code: "ssh_no_method", cause },
      hint: "allow keys there (PubkeyAuthentication yes in sshd_config)",
    });
  if (keys.length === 0)
    return new BootstrapFault(`${where(address)} wants a key for ${user}, and there is none to offer`, {
      ...{ code: "ssh_no_keys", cause },
      hint: "name one with --identity FILE, or load it into your agent: ssh-add FILE",
    });
  return new BootstrapFault(`${where(address)} takes no key of ours for ${user}; offered were ${keys.join(", ")}`, {
    ...{ code: "ssh_key_refused", cause },
    hint: "is that the user (--user), and is one of these keys in its authorized_keys? Another one: --identity FILE",
  });
}

/** Reasons as RFC 4254 numbers them; without one the connection has gone. */
export function refusedChannel(error: Error & { reason?: number | string }): BootstrapFault {
  if (error.reason === 1)
    return new BootstrapFault("its sshd forwards no connections", {
      ...{ code: "ssh_no_forwarding", cause: error },
      hint: "allow it (AllowTcpForwarding local in sshd_config), at least while tutti bootstrap runs",
    });
  if (error.reason === 2)
    return new BootstrapFault("nothing listens there", {
      code: "step_failed",
      passing: true,
      cause: error,
      hint: "run the same again",
    });
  return lost(error);
}

export const lost = (cause?: Error) =>
  new BootstrapFault(`the ssh connection was lost${cause ? `: ${cause.message}` : ""}`, {
    ...{ code: "ssh_lost", passing: true, cause },
    hint: "run the same again: every step may be repeated",
  });

/** The run was stopped from elsewhere. */
export const stopped = () => new BootstrapFault("stopped", { code: "stopped", hint: "run the same again" });
