import type { Instance } from "@aws-sdk/client-ec2";
import type { Network, SecurityGroup } from "../vpc/picture.ts";

/** What the API says there is. */
export interface Seen {
  readonly instances: readonly SeenInstance[];
  readonly groups: readonly SecurityGroup[];
  readonly networks: readonly Network[];
}

/** An instance that is not gone. */
export interface SeenInstance extends Instance {
  readonly InstanceId: string;
  readonly reservation: string;
  readonly account: string;
}

/** What the API says of an instance once, at each start of it. */
export interface Birth {
  /** base64 */
  readonly userData?: string;
  readonly key?: { readonly name: string; readonly text: string };
  readonly profile?: { readonly arn: string; readonly id: string; readonly role: string };
  /** What becomes of the instance when the machine switches itself off. */
  readonly atShutdown: "stop" | "terminate";
  /** GiB of the root volume. */
  readonly disk: number;
  /** MiB. */
  readonly memory: number;
}
