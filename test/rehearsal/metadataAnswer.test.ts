import { describe, expect, it } from "vitest";
import { type Answer, answer, type Memory } from "../../rehearsal/vpc/metadata/answer.ts";
import { vault } from "../../rehearsal/vpc/metadata/credentials.ts";
import { tokens } from "../../rehearsal/vpc/metadata/tokens.ts";
import type { Host } from "../../rehearsal/vpc/picture.ts";
import { host } from "../support/vpc.ts";

const fresh = (): Memory => ({ tokens: tokens(), vault: vault() });
const memory = fresh();
const now = Date.UTC(2026, 0, 1);
const userData = Buffer.from([0x1f, 0x8b, 0, 255, 13, 10, 0]);
const profile = { arn: "arn:aws:iam::123456789012:instance-profile/trio", id: "AIPA1", role: "trio-node" };
const key = { name: "my key", text: "ssh-ed25519 AAAA me" };
const one = host(5, ["sg-a", "sg-b"], {
  ...{ userData: userData.toString("base64"), profile, key, tags: { "tutti:node": "core-0", Name: "core" } },
});

const lifetime = "x-aws-ec2-metadata-token-ttl-seconds";
const put = (headers: Record<string, string>, from: Host = one, at = now) =>
  answer(from, { method: "PUT", url: "/latest/api/token", headers }, memory, at);
const token = (seconds = "60", from: Host = one) => String(put({ [lifetime]: seconds }, from).body);
const ask = (url: string, headers: Record<string, string> = { "x-aws-ec2-metadata-token": token() }, at = now) =>
  answer(one, { method: "GET", url, headers }, memory, at);
const get = (path: string): Answer => ask(`/latest/${path}`);
const list = (path: string) => String(get(path).body).split("\n");

describe("a token of the metadata service", () => {
  it("is given for as long as it is asked for, and no longer", () => {
    const made = put({ [lifetime]: "60" });
    expect(made).toMatchObject({ status: 200, headers: { [lifetime]: "60" } });
    const headers = { "x-aws-ec2-metadata-token": String(made.body) };
    expect(ask("/latest/meta-data/", headers, now + 59_000).status).toBe(200);
    expect(ask("/latest/meta-data/", headers, now + 60_000).status).toBe(401);
  });

  it.each<Record<string, string>>([{}, { [lifetime]: "0" }, { [lifetime]: "21601" }, { [lifetime]: "soon" }])(
    "is refused for %o",
    (headers) => {
      expect(put(headers).status).toBe(400);
    },
  );

  it("is refused to whom a proxy passes on", () => {
    expect(put({ [lifetime]: "60", "x-forwarded-for": "10.0.0.1" }).status).toBe(403);
  });

  it("is good for its own machine only", () => {
    const foreign = { "x-aws-ec2-metadata-token": token("60", host(6, [])) };
    expect(ask("/latest/meta-data/", foreign).status).toBe(401);
  });
});

describe("without a token", () => {
  const old = (access: Partial<Host["access"]>, headers = {}) =>
    answer(
      { ...one, access: { ...one.access, ...access } },
      { method: "GET", url: "/latest/meta-data/mac", headers },
      memory,
      now,
    );

  it("nothing is said where tokens are required", () => {
    expect(old({ token: true }).status).toBe(401);
  });

  it("all is said where they are not, but not with a wrong one", () => {
    expect(old({ token: false })).toMatchObject({ status: 200, body: one.mac });
    expect(old({ token: false }, { "x-aws-ec2-metadata-token": "wrong" }).status).toBe(401);
  });

  it("nothing is said by a service that is switched off, nor with one", () => {
    expect(old({ enabled: false }).status).toBe(403);
    expect(put({ [lifetime]: "60" }, { ...one, access: { ...one.access, enabled: false } }).status).toBe(403);
  });
});

describe("the metadata of a machine", () => {
  it("begins with the versions", () => {
    expect(String(ask("/").body).split("\n")).toContain("2021-03-23");
    expect(list("")).toEqual(["dynamic", "meta-data", "user-data"]);
    expect(ask("/2021-03-23/meta-data/instance-id").body).toBe(one.id);
    expect(ask("/1999-01-01/meta-data/").status).toBe(404);
  });

  it("lists what is below, with a slash where more is", () => {
    expect(list("meta-data/")).toEqual(
      expect.arrayContaining(["ami-id", "iam/", "network/", "placement/", "public-keys/", "tags/"]),
    );
  });

  it.each([
    ["hostname", "ip-10-20-0-5.eu-central-1.compute.internal"],
    ["local-ipv4", "10.20.0.5"],
    ["public-ipv4", "54.214.0.5"],
    ["placement/availability-zone", "eu-central-1a"],
    ["placement/region", "eu-central-1"],
    ["security-groups", "name of sg-a\nname of sg-b"],
    ["network/interfaces/macs/02:00:00:00:00:05/security-group-ids", "sg-a\nsg-b"],
    ["network/interfaces/macs/02:00:00:00:00:05/subnet-ipv4-cidr-block", "10.20.0.0/20"],
    ["network/interfaces/macs/02:00:00:00:00:05/ipv4-associations/54.214.0.5", "10.20.0.5"],
    ["tags/instance/tutti:node", "core-0"],
    ["tags/instance/tutti%3Anode", "core-0"],
    ["services/domain", "amazonaws.com"],
  ])("says at %s: %s", (path, text) => {
    expect(get(`meta-data/${path}`)).toMatchObject({ status: 200, body: text });
  });

  it.each([
    "meta-data/spot",
    "meta-data/mac/more",
    "meta-data/constructor",
    "other",
    "meta-data/%zz",
    "user-data/more",
  ])("has nothing at %s", (path) => {
    expect(get(path).status).toBe(404);
  });

  it("hands out user data byte for byte", () => {
    const { status, body, headers } = get("user-data");
    expect({ status, body, type: headers["content-type"] }).toEqual({
      status: 200,
      body: userData,
      type: "application/octet-stream",
    });
  });

  it("lists a public key by number and name, and gives it by number", () => {
    expect(list("meta-data/public-keys/")).toEqual(["0=my key"]);
    expect(list("meta-data/public-keys/0/")).toEqual(["openssh-key"]);
    expect(get("meta-data/public-keys/0/openssh-key").body).toBe("ssh-ed25519 AAAA me\n");
  });

  it("has the instance identity document", () => {
    const document = JSON.parse(String(get("dynamic/instance-identity/document").body));
    expect(document).toMatchObject({
      instanceId: one.id,
      accountId: "123456789012",
      privateIp: "10.20.0.5",
      region: "eu-central-1",
    });
  });

  it("shows nothing that the instance does not have", () => {
    const bare = host(6, [], { publicAddress: undefined, access: { enabled: true, token: false, hops: 1 } });
    const bareGet = (url: string) => answer(bare, { method: "GET", url, headers: {} }, memory, now);
    for (const path of ["public-ipv4", "public-keys/", "iam/", "tags/"])
      expect(bareGet(`/latest/meta-data/${path}`).status).toBe(404);
    expect(bareGet("/latest/user-data").status).toBe(404);
    expect(bareGet("/latest/").body).toBe("dynamic\nmeta-data");
  });
});

describe("credentials of the machine's role", () => {
  const path = "/latest/meta-data/iam/security-credentials/";
  const at = (time: number) => {
    const headers = { "x-aws-ec2-metadata-token": String(put({ [lifetime]: "60" }, one, time).body) };
    return JSON.parse(String(ask(`${path}trio-node`, headers, time).body));
  };

  it("are found by the role's name, and complete", () => {
    expect(ask(path).body).toBe("trio-node");
    const credentials = at(now);
    expect(credentials).toMatchObject({ Code: "Success", Type: "AWS-HMAC" });
    expect(credentials.Expiration).toMatch(/^2026-01-01T06:00:\d\dZ$/);
    expect(credentials.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(credentials.SecretAccessKey).toHaveLength(40);
    expect(JSON.parse(String(get("meta-data/iam/info").body))).toMatchObject({ InstanceProfileArn: profile.arn });
  });

  it("stay the same for hours, and are new before they end", () => {
    const first = at(now);
    expect(at(now + 4 * 3_600_000).Token).toBe(first.Token);
    const renewed = at(now + 5.5 * 3_600_000);
    expect(renewed.Token).not.toBe(first.Token);
    expect(Date.parse(renewed.Expiration)).toBeGreaterThan(Date.parse(first.Expiration));
  });
});

it("no other way of asking is known", () => {
  for (const method of ["POST", "DELETE"])
    expect(answer(one, { method, url: "/latest/meta-data/", headers: {} }, memory, now).status).toBe(405);
  expect(answer(one, { method: "PUT", url: "/latest/meta-data/", headers: {} }, memory, now).status).toBe(405);
});
