import type { InstanceArgs } from "@pulumi/aws/ec2/instance.js";
import { CustomResource, type CustomResourceOptions, type Output } from "@pulumi/pulumi";

/**
 * `aws.ec2.Instance` with the outputs that we read, and no others. The engine and the provider see no difference. The
 * SDK's class makes four promises, each with a stack trace, for each of its sixty properties: of a thousand machines
 * that is ten seconds before the engine hears of the last one.
 */
export class Machine extends CustomResource {
  declare readonly ami: Output<string>;
  declare readonly privateIp: Output<string>;
  declare readonly publicIp: Output<string>;

  constructor(name: string, args: InstanceArgs, options: CustomResourceOptions) {
    const read = { ami: undefined, privateIp: undefined, publicIp: undefined };
    const props: InstanceArgs & { publicIp?: undefined } = read;
    super("aws:ec2/instance:Instance", name, props, options);
    // The SDK makes an output of what it is given, at once, and sends what it finds there later, when all is known.
    Object.assign(props, args);
  }
}
