import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whyItStays } from "../../../../agent/controller/api/leaving.ts";
import type { Membership, MemberView } from "../../../../agent/controller/engine/membership.ts";
import type { NodeView } from "../../../../agent/controller/engine.ts";
import { type TestApi, testApi } from "../../../support/controller.ts";

const up = (id: string, roles: string[], state: NodeView["state"] = "UP"): NodeView => ({
  ...{ id, roles, state, address: "10.0.0.1", version: "1", components: [], seen: 1 },
});
const member = (id: string, roles: string[], more: Partial<MemberView> = {}): MemberView => ({
  ...{ id, roles, address: "10.0.0.1", instance: "i-1" },
  ...more,
});
const lead = ["core", "controller", "router"];

describe("a node that shall be removed", () => {
  const nodes = [up("lead-0", lead), up("run-0", ["dea"]), up("run-1", ["dea"])];
  const members = [member("lead-0", lead), member("run-0", ["dea"], { instances: 0 }), member("run-1", ["dea"])];
  const why = (id: string, more: Partial<Parameters<typeof whyItStays>[0]> = {}) =>
    whyItStays({ id, nodes, members, force: false, ...more });

  it("goes when others have its roles, or nobody needs them", () => {
    expect([why("run-0"), why("run-1")]).toEqual([undefined, undefined]);
  });

  it("stays when it is the last with a role that the cluster cannot be without, force or not", () => {
    const sentence =
      "lead-0 is the last node with the role core and the role controller and the role router: give it to another node first";
    expect([why("lead-0"), why("lead-0", { force: true })]).toEqual([sentence, sentence]);
  });

  it("does not count nodes that are lost or were removed as others", () => {
    const two = [...nodes, up("spare-0", ["router"], "LOST"), up("spare-1", lead)];
    const gone = [...members, member("spare-0", ["router"]), member("spare-1", lead, { removed: 5 })];
    expect(why("lead-0", { nodes: two, members: gone })).toMatch(/^lead-0 is the last/);
    expect(why("lead-0", { nodes: two, members })).toBeUndefined();
  });

  it("stays while it holds instances, unless they are given up", () => {
    const holding = (instances: number) => [member("run-0", ["dea"], { instances })];
    expect(why("run-0", { members: holding(1) })).toMatch(/^run-0 still holds an instance of an app: stop it/);
    expect(why("run-0", { members: holding(3) })).toMatch(/^run-0 still holds 3 instances of apps/);
    expect(why("run-0", { members: holding(3), force: true })).toBeUndefined();
  });
});

describe("the way in and out", () => {
  let test: TestApi;
  let answers: { claim: unknown; revoke: unknown };
  let asked: string[];
  const claim = { id: "extra-0.1", roles: ["dea"], expires: "2030-01-01T00:00:00.000Z", secret: "hush" };
  const newcomer = { cluster: "trio", beat: 1000, crashLifetime: 60, ports: { nats: 4222 } };
  const seen = [up("lead-0", lead), up("run-0", ["dea"]), up("old-0", ["dea"], "LOST")];

  beforeEach(async () => {
    asked = [];
    answers = { claim: { claim, cores: ["10.0.0.4"], ca: "PEM" }, revoke: { revoked: "run-0" } };
    const members: Membership = {
      newcomer,
      all: async () => [member("lead-0", lead), member("run-0", ["dea"], { instances: 2 }), member("old-0", ["dea"])],
      claim: async (node, roles) => {
        asked.push(`claim ${node} ${roles}`);
        return answers.claim as never;
      },
      revoke: async (node) => {
        asked.push(`revoke ${node}`);
        return answers.revoke as never;
      },
    };
    test = await testApi({ more: { members } });
    test.engine.nodes = () => seen;
  });
  afterEach(() => test.close());
  const invite = (body: object) => test.ask("POST", "/tutti/claims", { body });

  it("shows who belongs to the cluster, and what a newcomer has to know", async () => {
    const { body } = await test.ask("GET", "/tutti/members");
    expect(body.newcomer).toEqual({ ...newcomer, domain: "tutti.test" });
    expect(body.resources).toMatchObject([{ id: "lead-0" }, { id: "run-0", instances: 2 }, { id: "old-0" }]);
  });

  it("gives a claim to whoever may ask, and writes down that it did, without the secret", async () => {
    expect((await test.ask("POST", "/tutti/claims", { anonymous: true })).status).toBe(401);
    const { status, body } = await invite({ node: "extra-0", roles: ["dea"] });
    expect(status).toBe(201);
    expect(body).toMatchObject({ node: "extra-0", claim, cores: ["10.0.0.4"], ca: "PEM", newcomer });
    const trail = (await test.ask("GET", "/v3/audit_events")).body.resources;
    expect(trail).toContainEqual(expect.objectContaining({ type: "audit.node.invite", data: { roles: ["dea"] } }));
    expect(JSON.stringify([trail, test.log])).not.toContain("hush");
  });

  it("refuses names and roles that can be none, and the name of a node that is there", async () => {
    const detail = async (body: object) => (await invite(body)).body.errors[0].detail;
    expect(await detail({ node: "Extra 0", roles: [] })).toBe(
      "Node must be small letters, digits and dashes, at most 63, Roles must have a role",
    );
    expect(await detail({ node: "run-0", roles: ["dea"] })).toMatch(/^Node 'run-0' is there already: choose another/);
    expect((await invite({ node: "old-0", roles: ["dea"] })).status).toBe(201);
    expect((await invite({ node: "run-0", roles: ["dea"], replace: true })).status).toBe(201);
    expect(asked).toEqual(["claim old-0 dea", "claim run-0 dea"]);
  });

  it("passes on what a core says against it, and says when none answers", async () => {
    answers.claim = { error: { code: "x", message: "the clock is wrong", hint: "set it" } };
    expect(await invite({ node: "extra-0", roles: ["dea"] })).toMatchObject({
      status: 422,
      body: { errors: [{ detail: "the clock is wrong: set it" }] },
    });
    answers.claim = undefined;
    expect((await invite({ node: "extra-0", roles: ["dea"] })).status).toBe(503);
  });

  it("shuts a node out only when it may go; with force its instances are given up", async () => {
    expect((await test.ask("DELETE", "/tutti/nodes/nobody")).status).toBe(404);
    const refused = await test.ask("DELETE", "/tutti/nodes/run-0");
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ detail: expect.stringMatching(/^run-0 still holds 2/) }] },
    });
    expect((await test.ask("DELETE", "/tutti/nodes/lead-0?force=true")).status).toBe(422);
    expect(asked).toEqual([]);
    expect((await test.ask("DELETE", "/tutti/nodes/run-0?force=true")).status).toBe(204);
    expect((await test.ask("DELETE", "/tutti/nodes/old-0")).status).toBe(204);
    expect(asked).toEqual(["revoke run-0", "revoke old-0"]);
  });
});

it("takes nobody in on a cluster of one machine, and says so", async () => {
  const test = await testApi();
  const { status, body } = await test.ask("POST", "/tutti/claims", { body: { node: "a-0", roles: ["dea"] } });
  await test.close();
  expect(status).toBe(422);
  expect(body.errors[0].detail).toContain("This cluster is one machine");
});
