/** Type token of the engine → what a person calls it. */
const words: Readonly<Record<string, string>> = {
  "aws:ec2/instance:Instance": "machine",
  "aws:ec2/eip:Eip": "elastic address",
  "aws:ec2/eipAssociation:EipAssociation": "address of a machine",
  "aws:ec2/vpc:Vpc": "network",
  "aws:ec2/subnet:Subnet": "subnet",
  "aws:ec2/subnetCidrReservation:SubnetCidrReservation": "address kept for a core",
  "aws:ec2/internetGateway:InternetGateway": "internet gateway",
  "aws:ec2/routeTable:RouteTable": "route table",
  "aws:ec2/route:Route": "route",
  "aws:ec2/routeTableAssociation:RouteTableAssociation": "route of a subnet",
  "aws:ec2/securityGroup:SecurityGroup": "firewall",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "opening",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "way out",
  "aws:ec2/keyPair:KeyPair": "ssh key",
  "aws:iam/role:Role": "identity of machines",
  "aws:iam/rolePolicy:RolePolicy": "rights of machines",
  "aws:iam/instanceProfile:InstanceProfile": "instance profile",
  "aws:s3/bucket:Bucket": "bucket",
  "aws:s3/bucketObjectv2:BucketObjectv2": "file in the bucket",
  "aws:s3/bucketPolicy:BucketPolicy": "bucket: who may",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "bucket: never public",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "bucket: encrypted",
  "aws:s3/bucketVersioning:BucketVersioning": "bucket: versions kept",
  "aws:route53/record:Record": "DNS name",
  "pulumi-nodejs:dynamic/infra:Seed": "cluster identity",
};

export function wordFor(type: string): string {
  return words[type] ?? type;
}

/** `trio-dev-lead-0` → `lead-0`: within one cluster and stack its name goes without saying. */
export function shortName(name: string, cluster: string, stack: string): string {
  const base = `${cluster}-${stack.split("/").at(-1)}`;
  return name === base ? cluster : name.startsWith(`${base}-`) ? name.slice(base.length + 1) : name;
}
