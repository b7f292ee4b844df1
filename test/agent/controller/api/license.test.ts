import { afterEach, describe, expect, test } from "vitest";
import { complete } from "../../../../agent/controller/api/claim.ts";
import { StoreUnavailable } from "../../../../agent/store/conflict.ts";
import { memoryStore } from "../../../../agent/store/memory.ts";
import type { Store } from "../../../../agent/store/store.ts";
import { type Ask, type TestApi, type TestApiOptions, testApi } from "../../../support/controller.ts";

const open: TestApi[] = [];
const unlicensed = async (options: TestApiOptions = {}) => {
  const api = await testApi({ ...options, licensed: false });
  open.push(api);
  return api;
};
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

const form = { email: "me@example.org", password: "three little words", unix_password: "stackato-unix" };
const claim = (api: TestApi, more: Partial<typeof form> = {}, ask: Ask = {}) =>
  api.ask("POST", "/stackato/license", {
    anonymous: true,
    body: new URLSearchParams({ ...form, ...more }).toString(),
    ...ask,
    headers: { "content-type": "application/x-www-form-urlencoded", ...ask.headers },
  });
const standing = async (store: Store) => {
  const kinds = ["users", "organizations", "spaces", "domains"];
  return Promise.all(kinds.map(async (kind) => `${(await store.list(`${kind}.`)).length} ${kind}`));
};
const onceEach = ["1 users", "1 organizations", "1 spaces", "1 domains"];

describe("before the license step", () => {
  test("everything but the way to it says that it has to be taken, and how", async () => {
    const api = await unlicensed();
    for (const path of ["/v3/apps", "/v3", "/userinfo", "/tutti/nodes", "/tutti/ready", "/api/v1/info"]) {
      const { status, body } = await api.ask("GET", path, { anonymous: true });
      expect([path, status, body.errors[0].code]).toEqual([path, 503, 10015]);
      expect(body.errors[0].detail).toMatch(/license step.*\/stackato\/license/);
    }
    for (const path of ["/", "/v3/info", "/stackato/license"])
      expect([path, (await api.ask("GET", path, { anonymous: true })).status]).toEqual([path, 200]);
    expect((await api.ask("GET", "/stackato/license", { anonymous: true })).body).toMatchObject({ licensed: false });
  });
});

describe("the license step", () => {
  test("makes the first user with a place to work, and opens the API", async () => {
    const store = memoryStore();
    const api = await unlicensed({ store });
    const { status, body } = await claim(api);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      licensed: true,
      state: "done",
      email: "me@example.org",
      organization: "tutti",
      space: "dev",
      domain: "tutti.test",
    });
    expect(body.steps.unix_password).toMatch(/left to the node's own setup/);
    expect(await standing(store)).toEqual(onceEach);
    expect(api.tables.users.all()[0]).toMatchObject({ username: "me@example.org", admin: true });
    expect((await api.ask("GET", "/v3/apps", { anonymous: true })).status).toBe(401);
    expect((await api.ask("GET", "/stackato/license", { anonymous: true })).body).toMatchObject({ licensed: true });
    const kept = JSON.stringify(await store.list(""));
    for (const secret of [form.password, form.unix_password]) {
      expect(kept).not.toContain(secret);
      expect(api.log.join("\n")).not.toContain(secret);
    }
  });

  test("is taken by JSON as well", async () => {
    const api = await unlicensed();
    const { status, body } = await api.ask("POST", "/stackato/license", { anonymous: true, body: form });
    expect([status, body.state]).toEqual([201, "done"]);
  });

  test("is already done for the same person, and refused to another or with another password", async () => {
    const store = memoryStore();
    const api = await unlicensed({ store });
    await claim(api);
    const again = await claim(api, { email: "ME@example.org" });
    expect([again.status, again.body.state]).toEqual([200, "already done"]);
    for (const other of [{ email: "you@example.org" }, { password: "not those words" }]) {
      const { status, body } = await claim(api, other);
      expect([status, body.errors[0].title]).toEqual([409, "CF-AlreadyLicensed"]);
    }
    expect(api.log.some((line) => /warn A second license step was refused/.test(line))).toBe(true);
    expect(await standing(store)).toEqual(onceEach);
  });

  test("is refused when the form is not filled in well, and says what is wrong", async () => {
    const api = await unlicensed();
    const wrong = async (more: Partial<typeof form>) => (await claim(api, more)).body.errors[0].detail;
    expect(await wrong({ email: "nobody" })).toMatch(/Email must be an e-mail address/);
    expect(await wrong({ password: "short" })).toMatch(/Password is too short: take at least 8 characters/);
    expect(await wrong({ unix_password: "x" })).toMatch(/Unix password is too short/);
    expect(await wrong({ email: "a@b\u0000c d" })).toMatch(/e-mail/);
    expect((await api.ask("GET", "/stackato/license", { anonymous: true })).body.licensed).toBe(false);
  });

  test("is won by exactly one of fifty people, on two controllers with one store", async () => {
    const store = memoryStore();
    const apis = [await unlicensed({ store }), await unlicensed({ store })];
    const claims = Array.from({ length: 50 }, (_, at) =>
      claim(apis[at % 2] as TestApi, { email: `p${at}@example.org` }),
    );
    const statuses = (await Promise.all(claims)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(49);
    expect(await standing(store)).toEqual(onceEach);
  });

  test("that one person sends twenty times at once is done once, and never refused", async () => {
    const store = memoryStore();
    const apis = [await unlicensed({ store }), await unlicensed({ store })];
    const claims = Array.from({ length: 20 }, (_, at) => claim(apis[at % 2] as TestApi));
    const statuses = (await Promise.all(claims)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(19).fill(200), 201]);
    expect(await standing(store)).toEqual(onceEach);
  });

  test("that breaks off anywhere in the middle is finished by repeating it, and nobody else can take it", async () => {
    for (const broken of ["users.", "organizations.", "spaces.", "domains."]) {
      const store = memoryStore();
      const dying: Store = {
        ...store,
        compareAndSet: async (key, value, revision) => {
          if (key.startsWith(broken)) throw new StoreUnavailable("gone in the middle");
          return await store.compareAndSet(key, value, revision);
        },
      };
      expect((await claim(await unlicensed({ store: dying }))).status).toBe(503);
      const after = await unlicensed({ store });
      expect((await claim(after, { email: "you@example.org" })).status).toBe(409);
      // The name that was claimed without a record is not free for half a minute, except for the same record.
      expect([broken, (await claim(after)).status]).toEqual([broken, 200]);
      expect(await standing(store)).toEqual(onceEach);
    }
  });

  test("that broke off is finished by the next controller that starts", async () => {
    const store = memoryStore();
    const api = await unlicensed({ store });
    await claim(api);
    const entry = await api.tables.license.get("license");
    const user = api.tables.users.all()[0];
    await api.tables.license.put("license", { ...entry?.value, passwordHash: user?.passwordHash } as never);
    await api.tables.spaces.delete(api.tables.spaces.all()[0]?.guid ?? "");
    const next = await unlicensed({ store });
    await complete(next.api);
    expect(await standing(store)).toEqual(onceEach);
    expect((await next.tables.license.get("license"))?.value.passwordHash).toBeUndefined();
  });
});

describe("from elsewhere", () => {
  test("the license step is refused: through the router, or from a page in a browser", async () => {
    const api = await unlicensed();
    const hops = ["203.0.113.9", "127.0.0.1, 203.0.113.9", "evil"];
    for (const hop of hops) {
      const { status, body } = await claim(api, {}, { headers: { "x-forwarded-for": hop } });
      expect([hop, status]).toEqual([hop, 403]);
      expect(body.errors[0].detail).toMatch(/controller's own node/);
    }
    expect((await claim(api, {}, { headers: { origin: "http://evil.example" } })).status).toBe(403);
    expect((await claim(api, {}, { headers: { "x-forwarded-for": "127.0.0.1" } })).status).toBe(201);
  });

  test("it is taken when the setting says so", async () => {
    const api = await unlicensed({ more: { licenseFrom: "anywhere" } });
    expect((await claim(api, {}, { headers: { "x-forwarded-for": "203.0.113.9" } })).status).toBe(201);
  });
});
