import { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation.js";
import type { InstanceArgs } from "@pulumi/aws/ec2/instance.js";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import type { PlannedNode } from "../roles/plan.ts";
import { Gate, type Gates, type Wait } from "./gate.ts";
import { Machine } from "./machine.ts";
import type { Tags } from "./tags.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface NodeArgs {
  readonly node: PlannedNode;
  /** Id of an image. */
  readonly image: Input<string>;
  /** True when the image was looked up by name: then a newer one is for new nodes only. */
  readonly newestImage: boolean;
  readonly subnet: Input<string>;
  readonly walls: readonly Input<string>[];
  readonly profile: Input<string>;
  /** Name of a key pair. */
  readonly key?: Input<string>;
  /** gzip, base64. Holds the claim. */
  readonly userData: Input<string>;
  readonly tags: Tags;
  /** Where to wait when this machine is new. */
  readonly gates?: Gates;
  /** Id of a machine that is there already and becomes this node's, when the state has lost it. */
  readonly adopt?: string;
}

interface Waiting {
  readonly name: string;
  readonly instance: Machine;
  readonly after?: Resource | undefined;
}

/** One machine of the cluster and, when it is a router, its elastic address. */
export class Node extends ComponentResource {
  readonly instance: Output<string>;
  /** What the machine was made from: where the newest of a name is wanted, an older one as a rule. */
  readonly image: Output<string>;
  readonly privateAddress: Output<string>;
  /** The elastic address of a router; of other nodes the one that EC2 gave them until they stop. */
  readonly publicAddress: Output<string>;

  constructor(name: string, args: NodeArgs, options?: ComponentResourceOptions) {
    super(tokens.node.type, name, {}, withFormer(tokens.node, options));
    const instance = new Machine(name, machine(args), {
      parent: this,
      import: args.adopt,
      additionalSecretOutputs: ["userDataBase64"],
      ignoreChanges: settledAtBirth(args),
      // An address is one machine's at a time: the old one has to give it up before the new one can have it.
      deleteBeforeReplace: args.node.address !== undefined,
    });
    this.instance = instance.id;
    this.image = instance.ami;
    this.privateAddress = instance.privateIp;
    const ready = this.#gate("ready", args, { name, instance });
    const router = args.node.roles.includes("router");
    const elastic = router ? this.#elastic(name, { instance, tags: args.tags, after: ready }) : undefined;
    this.#gate("drain", args, { name, instance, after: elastic?.bound ?? ready });
    this.publicAddress = elastic?.address ?? instance.publicIp;
    this.registerOutputs({});
  }

  /** Requests come to a new router when it is ready, and leave the old one by that. */
  #elastic(name: string, { instance, tags, after }: { instance: Machine; tags: Tags; after: Gate | undefined }) {
    const address = new Eip(name, { domain: "vpc", tags }, { parent: this });
    const binding = { instanceId: instance.id, allocationId: address.id };
    const bound = new EipAssociation(name, binding, { parent: this, ...(after && { dependsOn: after }) });
    return { address: address.publicIp, bound };
  }

  #gate(what: Wait, { gates }: NodeArgs, { name, instance, after }: Waiting): Gate | undefined {
    if (!gates?.names.includes(name)) return undefined;
    const options = { parent: this, ...(after && { dependsOn: after }) };
    return new Gate(what, name, { socket: gates.socket, instance: instance.id }, options);
  }
}

/**
 * User data is read once, at birth: what it says of roles is history as soon as the node runs, and the store knows
 * better. It is also different at each run, as each has a fresh claim. EC2 would stop a machine to change it, for
 * nothing. So is the ssh key: another one would be a new machine for each node at once. And a machine that stands still
 * has no public address, which would look like another wish. A node that is replaced for another reason gets all of it.
 */
function settledAtBirth({ newestImage, adopt }: NodeArgs): string[] {
  const settled = ["userDataBase64", "keyName", "associatePublicIpAddress", ...(newestImage ? ["ami"] : [])];
  return adopt ? [...settled, ...mendable] : settled;
}

/**
 * The engine takes a machine in only when nothing about it differs; but firewalls and profile of a stack that has lost
 * its state are new. The next `up`, which adopts no more, changes all this in place.
 */
const mendable = ["vpcSecurityGroupIds", "iamInstanceProfile", "tags", "rootBlockDevice", "instanceType"];

function machine(args: NodeArgs): InstanceArgs {
  const { type, volume, spot } = args.node.machine ?? { type: "", volume: 0, spot: false };
  return {
    ami: args.image,
    instanceType: type,
    subnetId: args.subnet,
    privateIp: args.node.address,
    availabilityZone: args.node.zone,
    vpcSecurityGroupIds: [...args.walls],
    associatePublicIpAddress: true,
    iamInstanceProfile: args.profile,
    keyName: args.key,
    userDataBase64: args.userData,
    ...(spot && { instanceMarketOptions: { marketType: "spot" } }),
    rootBlockDevice: { volumeType: "gp3", volumeSize: volume, encrypted: true, tags: args.tags },
    // One hop: an app's container, which is one hop further, does not reach the machine's own rights.
    metadataOptions: {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
      instanceMetadataTags: "enabled",
    },
    tags: args.tags,
  };
}
