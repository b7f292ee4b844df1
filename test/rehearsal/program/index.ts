import { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation.js";
import { getAmiOutput } from "@pulumi/aws/ec2/getAmi.js";
import { Instance } from "@pulumi/aws/ec2/instance.js";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { KeyPair } from "@pulumi/aws/ec2/keyPair.js";
import { Route } from "@pulumi/aws/ec2/route.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { SubnetCidrReservation } from "@pulumi/aws/ec2/subnetCidrReservation.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import { getAvailabilityZonesOutput } from "@pulumi/aws/getAvailabilityZones.js";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity.js";
import { InstanceProfile } from "@pulumi/aws/iam/instanceProfile.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import { Provider } from "@pulumi/aws/provider.js";
import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketObjectv2 } from "@pulumi/aws/s3/bucketObjectv2.js";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import { asset, Config, interpolate } from "@pulumi/pulumi";

// Every kind that a cluster is made of, once. What a test changes is a setting.
const config = new Config();
const tags = { Name: "rehearsal" };
const provider = new Provider("there", { region: "eu-central-1" });
const mine = { provider };

const vpc = new Vpc("net", { cidrBlock: "10.30.0.0/16", enableDnsHostnames: true, tags }, mine);
const gateway = new InternetGateway("net", { vpcId: vpc.id, tags }, mine);
const table = new RouteTable("net", { vpcId: vpc.id, tags }, mine);
const out = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
const route = new Route("out", out, mine);
const place = { vpcId: vpc.id, cidrBlock: "10.30.1.0/24", availabilityZone: "eu-central-1a" };
const subnet = new Subnet("net-a", { ...place, mapPublicIpOnLaunch: true, tags }, mine);
const link = { subnetId: subnet.id, routeTableId: table.id };
const ready = new RouteTableAssociation("net-a", link, { ...mine, dependsOn: route });
const block = { subnetId: subnet.id, cidrBlock: "10.30.1.8/29", reservationType: "explicit", description: "kept" };
const kept = new SubnetCidrReservation("kept", block, mine);

const wall = new SecurityGroup("wall", { vpcId: vpc.id, description: "a wall", tags }, mine);
const open = { securityGroupId: wall.id, ipProtocol: "tcp", fromPort: 80, toPort: 80, description: "web", tags };
new SecurityGroupIngressRule("web", { ...open, cidrIpv4: config.get("from") ?? "0.0.0.0/0" }, mine);
const inside = { ...open, fromPort: 4222, toPort: 4222, referencedSecurityGroupId: wall.id, description: "nats" };
new SecurityGroupIngressRule("nats", inside, mine);
new SecurityGroupEgressRule("out", { securityGroupId: wall.id, ipProtocol: "-1", cidrIpv4: "0.0.0.0/0", tags }, mine);

const trust = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
const assumeRolePolicy = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
const role = new Role("node", { assumeRolePolicy, tags }, mine);
const bucket = new Bucket("depot", { forceDestroy: true, tags }, mine);
const may = (Action: string, resource: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: resource }] });
const policy = interpolate`${bucket.arn}/agent/*`.apply((arn) => may("s3:GetObject", arn));
new RolePolicy("node", { role: role.id, policy }, mine);
const managed = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
if (config.getBoolean("managed")) new RolePolicyAttachment("node", { role: role.name, policyArn: managed }, mine);
const profile = new InstanceProfile("node", { role: role.name, tags }, mine);

const shut = { blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true };
const shutter = new BucketPublicAccessBlock("depot", { bucket: bucket.id, ...shut }, mine);
const rules = [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }];
new BucketServerSideEncryptionConfiguration("depot", { bucket: bucket.id, rules }, mine);
const versioningConfiguration = { status: "Enabled" };
new BucketVersioning("depot", { bucket: bucket.id, versioningConfiguration }, mine);
const denied = {
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const tlsOnly = bucket.arn.apply((Resource) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ ...denied, Resource }] }),
);
new BucketPolicy("depot", { bucket: bucket.id, policy: tlsOnly }, { ...mine, dependsOn: shutter });
const source = new asset.StringAsset("the agent");
const agent = new BucketObjectv2("agent", { bucket: bucket.id, key: "agent/agent.tar.gz", source, tags }, mine);
const content = config.requireSecret("canary");
const identity = { bucket: bucket.id, key: "identity.json", content, contentType: "application/json" };
new BucketObjectv2("identity", identity, mine);

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl somebody";
const key = new KeyPair("key", { publicKey, tags }, mine);
const filters = [{ name: "name", values: ["debian-12-amd64-*"] }];
const newest = getAmiOutput({ owners: ["136693071363"], mostRecent: true, filters }, mine);
const node = new Instance(
  "node",
  {
    ami: config.get("ami") ?? newest.id,
    instanceType: config.get("type") ?? "t3.small",
    subnetId: ready.subnetId,
    privateIp: config.get("address"),
    availabilityZone: "eu-central-1a",
    vpcSecurityGroupIds: [wall.id],
    associatePublicIpAddress: true,
    iamInstanceProfile: profile.name,
    keyName: key.keyName,
    userDataBase64: content.apply((text) => Buffer.from(text).toString("base64")),
    rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: true, tags },
    metadataOptions: {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
      instanceMetadataTags: "enabled",
    },
    // EC2 takes commas in tags; IAM and S3 do not.
    tags: { ...tags, "tutti:roles": config.get("roles") ?? "dea" },
  },
  {
    ...mine,
    dependsOn: [agent, kept],
    deleteBeforeReplace: config.get("address") !== undefined,
    additionalSecretOutputs: ["userDataBase64"],
    ...(config.get("adopt") && { import: config.get("adopt"), ignoreChanges: ["userDataBase64"] }),
  },
);
const address = new Eip("node", { domain: "vpc", tags }, mine);
new EipAssociation("node", { instanceId: node.id, allocationId: address.id }, mine);

export const instance = node.id;
export const privateIp = node.privateIp;
export const publicIp = address.publicIp;
export const depot = bucket.bucket;
export const account = getCallerIdentityOutput({}, mine).accountId;
export const zones = getAvailabilityZonesOutput({ state: "available" }, mine).names;
