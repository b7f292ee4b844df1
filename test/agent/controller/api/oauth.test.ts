import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokens } from "../../../../agent/controller/api/tokens.ts";
import { password, type TestApi, testApi } from "../../../support/controller.ts";

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const basic = { authorization: `Basic ${Buffer.from("cf:").toString("base64")}` };
const form = { "content-type": "application/x-www-form-urlencoded" };
const grant = (fields: Record<string, string>, headers: Record<string, string> = basic) =>
  api.ask("POST", "/oauth/token", {
    anonymous: true,
    headers: { ...form, ...headers },
    body: new URLSearchParams(fields).toString(),
  });
const login = (secret = password, username = "me@tutti.test") =>
  grant({ grant_type: "password", username, password: secret });

describe("the token endpoint", () => {
  test("gives the person with the right password a token that opens the API, and what UAA's clients look for in it", async () => {
    const { status, body, headers } = await login();
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: "bearer", expires_in: 1199, jti: expect.any(String) });
    expect(body.scope).toContain("cloud_controller.admin");
    expect(headers["cache-control"]).toBe("no-store");
    const claims = JSON.parse(Buffer.from(body.access_token.split(".")[1], "base64url").toString());
    expect(claims).toMatchObject({
      user_id: api.admin.guid,
      user_name: "me@tutti.test",
      client_id: "cf",
      origin: "uaa",
    });
    expect(claims.exp - claims.iat).toBe(1199);
    expect((await api.ask("GET", "/v3/apps", { token: body.access_token })).status).toBe(200);
  });

  test("takes the client from the form too, and the name in any case", async () => {
    const fields = { grant_type: "password", username: "ME@tutti.test", password, client_id: "cf", client_secret: "" };
    expect((await grant(fields, {})).status).toBe(200);
  });

  test("trades a refresh token for a new access token, but an access token for nothing", async () => {
    const { body } = await login();
    const again = await grant({ grant_type: "refresh_token", refresh_token: body.refresh_token });
    expect(again.status).toBe(200);
    expect((await api.ask("GET", "/v3/spaces", { token: again.body.access_token })).status).toBe(200);
    const wrong = await grant({ grant_type: "refresh_token", refresh_token: body.access_token });
    expect([wrong.status, wrong.body.error]).toEqual([401, "invalid_token"]);
    expect((await api.ask("GET", "/v3/apps", { token: body.refresh_token })).status).toBe(401);
  });

  test("refuses in UAA's words", async () => {
    const refusals = {
      "a wrong client": await grant(
        { grant_type: "password" },
        { authorization: `Basic ${Buffer.from("cf:x").toString("base64")}` },
      ),
      "no client": await grant({ grant_type: "password" }, {}),
      "no grant": await grant({}),
      "an unknown grant": await grant({ grant_type: "magic" }),
    };
    expect(Object.entries(refusals).map(([what, { status, body }]) => `${what}: ${status} ${body.error}`)).toEqual([
      "a wrong client: 401 invalid_client",
      "no client: 401 invalid_client",
      "no grant: 400 invalid_request",
      "an unknown grant: 400 unsupported_grant_type",
    ]);
  });

  test("tells a wrong password and an unknown name alike, and makes guessing slow", async () => {
    const wrong = await login("wrong", "stranger@tutti.test");
    expect([wrong.status, wrong.body]).toEqual([401, { error: "unauthorized", error_description: "Bad credentials" }]);
    for (let count = 0; count < 4; count++) await login("wrong", "stranger@tutti.test");
    const locked = await login("wrong", "stranger@tutti.test");
    expect(locked.body.error_description).toMatch(/^Your account has been locked because of too many failed attempts/);
    expect(Number(locked.headers["retry-after"])).toBeGreaterThan(0);
    expect((await login()).status).toBe(200);
  });

  test("never takes a password from the address, where access logs would keep it", async () => {
    const query = new URLSearchParams({ grant_type: "password", username: "me@tutti.test", password });
    const reply = await api.ask("POST", `/oauth/token?${query}`, { anonymous: true, headers: { ...form, ...basic } });
    expect(reply.status).toBe(400);
    expect(api.log.join("\n")).not.toContain(password.split(" ")[0]);
  });
});

describe("a token", () => {
  const opens = async (token: string) => (await api.ask("GET", "/v3/apps", { token })).body.errors?.[0];

  test("that is missing or not ours opens nothing", async () => {
    const none = await api.ask("GET", "/v3/apps", { anonymous: true });
    expect([none.status, none.body.errors[0]]).toEqual([
      401,
      { code: 10002, title: "CF-NotAuthenticated", detail: "Authentication error" },
    ]);
    const invalid = { code: 1000, title: "CF-InvalidAuthToken", detail: "Invalid Auth Token" };
    expect(await opens("garbage")).toEqual(invalid);
    const foreign = await tokens(Buffer.from("another key, long enough for it").toString("base64")).access(
      api.admin,
      "http://x",
    );
    expect(await opens(foreign.token)).toEqual(invalid);
    const [head, claims] = api.token.split(".");
    expect(await opens(`${head}.${claims}.`)).toEqual(invalid);
    const none256 = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    expect(await opens(`${none256}.${claims}.`)).toEqual(invalid);
  });

  test("of before a change of password, and of a user who is gone, is worth nothing", async () => {
    const user = await api.tables.users.insert({ ...api.admin, guid: "other", username: "other@tutti.test" });
    const { token } = await tokens(api.api.keys.tokens).access(user, "http://x");
    expect(await opens(token)).toBeUndefined();
    await api.tables.users.update("other", (old) => ({ ...old, passwordHash: "changed" }));
    expect((await opens(token)).code).toBe(1000);
    await api.tables.users.delete("other");
    expect((await opens(token)).code).toBe(1000);
  });

  test("of somebody who is no admin opens nothing but who they are", async () => {
    const user = await api.tables.users.insert({
      ...api.admin,
      guid: "guest",
      username: "guest@tutti.test",
      admin: false,
    });
    const { token } = await tokens(api.api.keys.tokens).access(user, "http://x");
    expect((await opens(token)).code).toBe(10003);
    expect((await api.ask("GET", "/v3/users/guest", { token })).status).toBe(200);
    expect((await api.ask("GET", `/v3/users/${api.admin.guid}`, { token })).status).toBe(403);
  });
});

test("the neighbours of the token endpoint answer as clients expect", async () => {
  const prompts = (await api.ask("GET", "/login", { anonymous: true })).body.prompts;
  expect(prompts).toEqual({ username: ["text", "Email"], password: ["password", "Password"] });
  expect((await api.ask("GET", "/userinfo")).body).toMatchObject({
    user_id: api.admin.guid,
    user_name: "me@tutti.test",
  });
  expect((await api.ask("GET", "/userinfo", { anonymous: true })).status).toBe(401);
  expect((await api.ask("GET", "/token_keys", { anonymous: true })).body).toEqual({ keys: [] });
  const check = await api.ask("POST", "/check_token", {
    anonymous: true,
    headers: { ...form, ...basic },
    body: `token=${api.token}`,
  });
  expect(check.body.user_id).toBe(api.admin.guid);
});
