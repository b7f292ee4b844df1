import type { HostKey } from "./hostKey.ts";
import type { AuthorityOf } from "./identity.ts";
import type { Licensed, Login } from "./license.ts";
import type { Offer } from "./ssh.ts";
import type { Target } from "./target.ts";

/** Something that a person who waits wants to know. */
export interface Progress {
  /** The node's name. */
  readonly node: string;
  readonly state: "waiting" | "done" | "failed";
  readonly text: string;
}

/** The first user, as far as that is known before the cluster is. */
export interface Owner extends Pick<Login, "password" | "unixPassword" | "makeUp"> {
  readonly email?: string | undefined;
  /** A login of earlier: whose, and where. */
  readonly kept?: { readonly api: string; readonly email: string; readonly refreshToken: string } | undefined;
}

export interface BootstrapOptions {
  readonly nodes: readonly Target[];
  /** What is offered for authentication, in this order. */
  readonly keys: readonly Offer[];
  /** The first user. Default of its e-mail address: `you@DOMAIN`. */
  readonly login: Owner;
  /** Text in the format of OpenSSH's known hosts. */
  readonly knownHosts?: string | undefined;
  /** What a machine has printed since its boot; "" as long as that is nothing. */
  readonly console?: ((target: Target) => Promise<string>) | undefined;
  /** Asks a person whether the key that a machine shows is the right one. */
  readonly ask?: ((target: Target, shown: HostKey) => Promise<boolean>) | undefined;
  /** The authority of a cluster that is not on EC2. */
  readonly authority?: AuthorityOf | undefined;
  /** Machines, as `rememberedAs` names them, that got their new password in an earlier run. */
  readonly rotated?: ReadonlySet<string> | undefined;
  /** Told the keys by which a machine is known, once it has proven itself with one of them. */
  readonly onPinned?: ((target: Target, keys: readonly HostKey[]) => void) | undefined;
  /** Told as soon as the first user is there: it stays, whatever becomes of the nodes that are still waited for. */
  readonly onLicensed?: ((licensed: Licensed & { readonly email: string; readonly api: string }) => void) | undefined;
  readonly told?: ((progress: Progress) => void) | undefined;
  /** Milliseconds for all of it. Default: ten minutes. */
  readonly timeout?: number | undefined;
  /** Milliseconds before something is tried again, at first. */
  readonly pace?: number | undefined;
  /** Milliseconds for one connection. */
  readonly patience?: number | undefined;
  readonly stop?: AbortSignal | undefined;
}

export interface NodeResult {
  readonly name: string;
  readonly id: string;
  /** What it is remembered by: `rememberedAs`. */
  readonly machine: string;
  readonly instance?: string | undefined;
  /** Where its ssh answers: `host:port`. */
  readonly ssh: string;
  readonly roles: readonly string[];
  /** Fingerprint of the key it has proven itself with. */
  readonly hostKey: string;
  /** What was done there. */
  readonly steps: readonly string[];
  /** Channels that were opened. */
  readonly trips: number;
  /** Until it was ready. */
  readonly seconds: number;
}

export interface BootstrapResult {
  readonly outcome: Licensed["outcome"];
  readonly cluster: string;
  /** Base URL of the API. */
  readonly api: string;
  readonly email: string;
  /** The node on which the license step was taken. */
  readonly controller: string;
  readonly nodes: readonly NodeResult[];
  readonly login: Pick<Licensed, "accessToken" | "refreshToken" | "organization" | "space">;
  readonly seconds: number;
}
