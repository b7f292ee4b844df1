import { describe, expect, it } from "vitest";
import { differ, project } from "../../rehearsal/provider/differ.ts";
import { instance } from "../../rehearsal/provider/kinds/instance.ts";
import { role } from "../../rehearsal/provider/kinds/role.ts";
import { unknown } from "../../rehearsal/provider/values.ts";

const had = {
  ami: "ami-1",
  instanceType: "t3.small",
  vpcSecurityGroupIds: ["sg-1", "sg-2"],
  metadataOptions: { httpTokens: "required" },
  userDataBase64: "Zmlyc3Q=",
  tags: { Name: "one", "tutti:roles": "dea" },
};

describe("what differs between a machine and what is wanted", () => {
  it("is nothing when nothing does", () => {
    expect(differ(instance, had, { ...had })).toMatchObject({ changed: [], replaces: [], paths: {} });
  });

  it("is no replacement for another type, other tags, other user data", () => {
    const wants = { ...had, instanceType: "m5.large", userDataBase64: "c2Vjb25k", tags: { Name: "two" } };
    const { changed, replaces } = differ(instance, had, wants);
    expect([...changed].sort()).toEqual(["instanceType", "tags", "userDataBase64"]);
    expect(replaces).toEqual([]);
  });

  it.each(["ami", "subnetId", "availabilityZone", "keyName"])("is a replacement for another %s", (key) => {
    expect(differ(instance, { ...had, [key]: "one" }, { ...had, [key]: "other" }).replaces).toEqual([key]);
  });

  it("is a replacement for other user data where the program wants that", () => {
    const wants = { ...had, userDataBase64: "c2Vjb25k", userDataReplaceOnChange: true };
    expect(differ(instance, had, wants).replaces).toEqual(["userDataBase64"]);
  });

  it("names single tags, for people to read", () => {
    const { paths } = differ(instance, had, {
      ...had,
      tags: { Name: "one", "tutti:roles": "dea,stager", owner: "me" },
    });
    expect(paths).toEqual({ 'tags["tutti:roles"]': "update", "tags.owner": "add" });
  });

  it("is nothing for another order of what has none", () => {
    expect(differ(instance, had, { ...had, vpcSecurityGroupIds: ["sg-2", "sg-1"] }).changed).toEqual([]);
  });

  it("is nothing for what AWS has chosen or completed", () => {
    const options = { httpTokens: "required", httpPutResponseHopLimit: 2 };
    const real = { ...had, availabilityZone: "eu-central-1a", metadataOptions: options };
    expect(differ(instance, real, had).changed).toEqual([]);
  });

  it("is taken to be something while a value is not known yet", () => {
    expect(differ(instance, { ...had, subnetId: "subnet-1" }, { ...had, subnetId: unknown }).replaces).toEqual([
      "subnetId",
    ]);
  });

  it("is nothing for a policy that says the same in another order", () => {
    const one = { name: "r", assumeRolePolicy: '{"a":1,"b":2}' };
    expect(differ(role, one, { name: "r", assumeRolePolicy: '{ "b": 2, "a": 1 }' }).changed).toEqual([]);
  });

  it("says that a name of the program's own is in the way of a replacement, and a made-up one is not", () => {
    const [one, other] = [
      { name: "r", path: "/a/" },
      { name: "r", path: "/b/" },
    ];
    expect(differ(role, one, other).nameInTheWay).toBe(true);
    expect(differ(role, one, { ...other, name: "r-2", __defaults: ["name"] }).nameInTheWay).toBe(false);
  });
});

describe("what a machine has, in the words of the program", () => {
  const real = {
    ...had,
    publicIp: "192.0.2.1",
    metadataOptions: { httpTokens: "optional", instanceMetadataTags: "enabled" },
  };

  it("has what was changed by hand, and nothing the program never spoke of", () => {
    const inputs = project(instance, { ami: "ami-1", metadataOptions: { httpTokens: "required" } }, real);
    expect(inputs).toEqual({ ami: "ami-1", metadataOptions: { httpTokens: "optional" }, tags: real.tags });
  });

  it("has tags that somebody has added", () => {
    const said = { tags: { Name: "one" } };
    expect(project(instance, said, { tags: { Name: "one", foreign: "yes" } })).toEqual({
      tags: { Name: "one", foreign: "yes" },
    });
  });

  it("lacks what somebody has taken away", () => {
    expect(project(instance, { iamInstanceProfile: "p" }, { iamInstanceProfile: undefined })).toEqual({});
  });

  it("is everything at an import", () => {
    expect(Object.keys(project(instance, undefined, real)).sort()).toEqual(Object.keys(had).sort());
  });
});
