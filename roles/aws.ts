import { z } from "zod";

// The part of `cluster.yaml` that says where on EC2 the cluster stands.

export const zoneLetter = z.string().regex(/^[a-z]$/, 'the letter of a zone, such as "a"');
const cidr = z.cidrv4("a network such as 203.0.113.0/24; one address is 203.0.113.7/32");

const network = z
  .strictObject({
    cidr: cidr.optional().describe("addresses of the network that is made; default 10.20.0.0/16"),
    vpc: z
      .string()
      .regex(/^vpc-[0-9a-f]+$/, "a network's id, vpc-…")
      .optional()
      .describe("a network that exists; then subnets too"),
    subnets: z
      .record(zoneLetter, z.string().regex(/^subnet-[0-9a-f]+$/, "a subnet's id, subnet-…"))
      .optional()
      .describe("subnets that exist, zone by zone; they need a way to the internet"),
    cores: z
      .record(z.string(), z.ipv4("a private address such as 10.0.1.10"))
      .optional()
      .describe("subnets that exist: the address of each core, core-0: 10.0.1.10; needed where there are several"),
  })
  .prefault({});

const ssh = z.strictObject({
  from: z.array(cidr).min(1).describe("networks from which ssh is let in; from nowhere else"),
  key: z
    .string()
    .min(1)
    .refine((text) => !text.includes("PRIVATE KEY"), "this is a private key: write the public one (….pub)")
    .describe("a public key, or the file that has it (relative to this file, ~ is your home)"),
});

const dns = z.strictObject({
  zone: z
    .string()
    .regex(/^Z[0-9A-Z]+$/, "a hosted zone's id, Z…")
    .describe("a Route 53 zone in which the domain lies: gets <domain> and *.<domain>"),
});

export const awsSpec = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region such as eu-central-1")
    .describe("where the cluster stands"),
  zones: z.array(zoneLetter).min(1).default(["a"]).describe("zones of the region; nodes of a group take turns"),
  image: z
    .string()
    .regex(/^(debian-12|ami-[0-9a-f]{8,17})$/, '"debian-12" or the id of an image, ami-…')
    .default("debian-12")
    .describe("what machines boot from; debian-12 = the newest at a node's birth, never a reason to replace it"),
  architecture: z.enum(["x64", "arm64"]).default("x64").describe("of the image and of every instanceType"),
  baked: z.boolean().default(false).describe("true: the image has the needed packages, nothing is installed at boot"),
  network: network.describe("absent: a network is made"),
  ssh: ssh.optional().describe("absent: no ssh at all"),
  owner: z
    .string()
    .regex(/^[\w.:/=+@ -]{1,128}$/, "a name or a mail address")
    .describe("whom to ask; a tag on everything that costs money"),
  expires: z
    .union([z.literal("never"), z.iso.date(), z.iso.datetime()], {
      error: '"never", a day (2027-01-31) or an instant (2027-01-31T18:00:00Z)',
    })
    .default("never")
    .describe('when the cluster may be swept away: "never", a day or an instant'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "a bucket's name: 3 to 63 small letters, digits, dots, dashes")
    .optional()
    .describe("name of the bucket that is made; default: one with a random ending"),
  dns: dns.optional().describe("absent: you point the domain at the routers' addresses yourself"),
});
export type AwsSpec = z.output<typeof awsSpec>;
