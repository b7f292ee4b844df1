import { readFileSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { deaWorld, droplet, get, hello, scratch, startMessage, until } from "../../support/dea.ts";
import { newAuthority, tlsOf } from "../../support/joined.ts";

const authority = newAuthority();
beforeAll(() => setDefaultCACertificates([...getCACertificates("bundled"), authority.certificate]));

/** A controller that gives out one droplet over HTTPS. */
async function depot(tls = tlsOf(authority, { node: "ctl-0" })) {
  const { path, sha1 } = droplet(hello);
  const server = https.createServer({ key: tls.key, cert: tls.cert }, (_request, response) =>
    response.end(readFileSync(path)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { uri: `https://127.0.0.1:${(server.address() as AddressInfo).port}/droplet`, sha1 };
}

test("a DEA of several machines fetches droplets and serves files over HTTPS, and its apps speak HTTP", async () => {
  const tls = tlsOf(authority, { node: "dea-0" });
  const world = await deaWorld({ tls });
  const answer = await world.send(startMessage(await depot()));
  const { file_uri = "", staged = "", credentials = [] } = await world.whenRunning(answer?.instance ?? "");
  expect(file_uri).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/droplets\/$/);
  const authorization = `Basic ${Buffer.from(credentials.join(":")).toString("base64")}`;
  const listing = await fetch(`${file_uri}${staged}/app/`, { headers: { authorization } });
  expect(await listing.text()).toContain("app.js");
  const registered = await until("a registration", () => world.last("router.register"));
  expect(registered["tls_port"]).toBeUndefined();
  expect(await get(Number(registered["port"]))).toMatch(/^\d+$/);
});

test("a droplet is not taken from whoever has no certificate of the cluster", async () => {
  const world = await deaWorld();
  const answer = await world.send(startMessage(await depot(tlsOf(newAuthority(), { node: "ctl-0" }))));
  const { exit_description } = (await world.exit(answer?.instance ?? "")) as { exit_description: string };
  expect(exit_description).toMatch(/droplet could not be fetched/);
});

test("an id that follows from the node is used, and instances of an older one are adopted under it", async () => {
  const home = join(scratch(), "dea");
  const before = await deaWorld({ home, onStop: "leave" });
  const instance = await before.launch(hello);
  await before.whenRunning(instance);
  const port = Number((await until("a registration", () => before.last("router.register")))["port"]);
  const pid = await get(port);
  await before.running.stop();
  const id = `0-${"ab".repeat(16)}`;
  const after = await deaWorld({ home, id });
  expect(after.id).toBe(id);
  expect(before.id).not.toBe(id);
  await after.whenRunning(instance);
  expect(await get(port)).toBe(pid);
  expect(after.last("dea.heartbeat")).toMatchObject({ dea: id, droplets: [{ instance }] });
});
