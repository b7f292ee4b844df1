import { describe, expect, it } from "vitest";
import { askedAnew } from "../../rehearsal/provider/anew.ts";
import { settings } from "../../rehearsal/provider/aws.ts";
import { check } from "../../rehearsal/provider/check.ts";
import { alike, scarce } from "../../rehearsal/provider/explain.ts";
import { bucket } from "../../rehearsal/provider/kinds/bucket.ts";
import { instance } from "../../rehearsal/provider/kinds/instance.ts";
import { role } from "../../rehearsal/provider/kinds/role.ts";
import { vpc } from "../../rehearsal/provider/kinds/vpc.ts";

const urn = "urn:pulumi:dev::house::aws:iam/role:Role::Node";
const asked = { urn, olds: undefined, taken: new Set<string>(), anew: false };

describe("inputs of a resource", () => {
  it("are complete with what the real provider would add", () => {
    const { inputs, failures } = check(vpc, { ...asked, news: { cidrBlock: "10.0.0.0/16" } });
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ cidrBlock: "10.0.0.0/16", enableDnsSupport: true, enableDnsHostnames: false });
  });

  it("that lack what is needed are refused by name", () => {
    expect(check(vpc, { ...asked, news: {} }).failures).toEqual([
      { property: "cidrBlock", reason: "is needed and is not given" },
    ]);
  });

  it("that are not rehearsed are refused, with what is", () => {
    const [failure] = check(instance, { ...asked, news: { ebsBlockDevices: [] } }).failures;
    expect(failure?.property).toBe("ebsBlockDevices");
    expect(failure?.reason).toMatch(/not rehearsed .* what is: ami, instanceType/);
  });

  it("that must be one of a few say of which", () => {
    const news = { instanceInitiatedShutdownBehavior: "explode" };
    expect(check(instance, { ...asked, news }).failures[0]?.reason).toBe(
      'is "explode" and must be one of stop, terminate',
    );
  });
});

describe("the name of a resource that the program does not name", () => {
  const nameOf = (more: object) => check(role, { ...asked, news: { assumeRolePolicy: "{}" }, ...more }).inputs["name"];

  it("is the same in every run, so that what an interrupted run has made is found", () => {
    expect(nameOf({})).toMatch(/^Node-[0-9a-f]{7}$/);
    expect(nameOf({})).toBe(nameOf({}));
  });

  it("stays what it was", () => {
    expect(nameOf({ olds: { name: "Node-of-old" } })).toBe("Node-of-old");
  });

  it("is another one beside one that is still there", () => {
    expect(nameOf({ taken: new Set([nameOf({})]) })).not.toBe(nameOf({}));
    expect(nameOf({ anew: true })).not.toBe(nameOf({}));
  });

  it("suits a bucket", () => {
    expect(check(bucket, { ...asked, news: {} }).inputs["bucket"]).toMatch(/^node-[0-9a-f]{7}$/);
  });
});

describe("the provider's settings", () => {
  const env = { AWS_ENDPOINT_URL: "http://127.0.0.1:5000" };

  it("come from its configuration before the environment", () => {
    const both = settings({ region: "eu-west-1" }, { ...env, AWS_REGION: "us-east-1" });
    expect(both).toMatchObject({ region: "eu-west-1", endpoint: "http://127.0.0.1:5000" });
  });

  it("without a region say how to set one", () => {
    expect(settings({}, env)).toMatchObject({
      property: "region",
      reason: expect.stringContaining("pulumi config set"),
    });
  });

  it("without a rehearsal's address refuse to touch anybody's account", () => {
    expect(settings({ region: "eu-west-1" }, {})).toMatchObject({
      property: "endpoints",
      reason: expect.stringContaining("pulumi plugin install resource aws"),
    });
  });

  it("take the address as the engine sends it", () => {
    const config = { region: "eu-west-1", endpoints: '[{"ec2":"http://127.0.0.1:6000"}]' };
    expect(settings(config, {})).toMatchObject({ endpoint: "http://127.0.0.1:6000" });
  });
});

describe("what the person has asked to be replaced", () => {
  it("is read from the engine's command line, with its patterns", () => {
    expect(askedAnew(["pulumi", "up", "--replace", urn])(urn)).toBe(true);
    expect(askedAnew(["pulumi", "up", `--target-replace=**::Node`])(urn)).toBe(true);
    expect(askedAnew(["pulumi", "up", "--target", urn])(urn)).toBe(false);
    expect(askedAnew(["pulumi", "up", "--replace", `${urn}2`])(urn)).toBe(false);
  });
});

describe("EC2's sentence about a lack of machines", () => {
  it("tells type and zone", () => {
    const said =
      "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-central-1a). Our";
    expect(scarce(said)).toEqual({ type: "t3.small", zone: "eu-central-1a" });
  });

  it("leads to types of the same letter, size and processor", () => {
    const types = [
      "t2.small",
      "t3.medium",
      "t3.small",
      "t3a.small",
      "t4g.small",
      "c7g.large",
      "c7gn.large",
      "c7i.large",
    ];
    expect(alike("t3.small", types)).toEqual(["t2.small", "t3a.small"]);
    expect(alike("c7g.large", types)).toEqual(["c7gn.large"]);
  });
});
