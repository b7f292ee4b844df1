import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { NoRoom } from "../../../../agent/store/blobs.ts";
import { memoryBlobs } from "../../../../agent/store/memoryBlobs.ts";
import {
  newApp,
  newPackage,
  startedApp,
  type TestApi,
  type TestApiOptions,
  testApi,
  uploadForm,
} from "../../../support/controller.ts";
import { until } from "../../../support/until.ts";
import { rawZip } from "../../../support/zip.ts";

const open: TestApi[] = [];
async function listening(options: TestApiOptions = {}) {
  const api = await testApi(options);
  open.push(api);
  return { api, base: await api.listen() };
}
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

const sha1 = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");
const good = () => rawZip([{ name: "app.js", data: "// hello", deflate: true }]);

async function send(base: string, api: TestApi, { guid, form }: { guid: string; form: FormData }) {
  const headers = { authorization: `bearer ${api.token}` };
  const reply = await fetch(`${base}/v3/packages/${guid}/upload`, { method: "POST", headers, body: form });
  // biome-ignore lint/suspicious/noExplicitAny: a package or errors.
  return { status: reply.status, body: (await reply.json()) as any };
}

async function upload({ api, base }: { api: TestApi; base: string }, parts: Parameters<typeof uploadForm>[0]) {
  const guid = await newPackage(api, await newApp(api));
  const reply = await send(base, api, { guid, form: uploadForm(parts) });
  const shown = (await api.ask("GET", `/v3/packages/${guid}`)).body;
  return { guid, ...reply, package: shown };
}

const leftovers = async ({ api }: TestApi) => await readdir(api.uploads);

describe("an upload", () => {
  test("is taken in whole, and what comes back is what was sent", async () => {
    const ground = await listening();
    const bits = good();
    const { status, body, guid } = await upload(ground, { bits });
    expect([status, body.state]).toEqual([200, "READY"]);
    expect(body.data).toEqual({
      error: null,
      checksum: { type: "sha256", value: createHash("sha256").update(bits).digest("hex") },
    });
    const headers = { authorization: `bearer ${ground.api.token}` };
    const back = await fetch(`${ground.base}/v3/packages/${guid}/download`, { headers });
    expect(back.headers.get("content-type")).toBe("application/zip");
    expect(Buffer.from(await back.arrayBuffer()).equals(bits)).toBe(true);
    await ground.api.work.settled();
    expect(await leftovers(ground.api)).toEqual([]);
  });

  test("comes once: the second is refused, and of two at the same time one", async () => {
    const { api, base } = await listening();
    const guid = await newPackage(api, await newApp(api));
    const both = await Promise.all([0, 1].map(() => send(base, api, { guid, form: uploadForm({ bits: good() }) })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    const third = await send(base, api, { guid, form: uploadForm({ bits: good() }) });
    expect(third.body.errors[0]).toMatchObject({ code: 150004, title: "CF-PackageBitsAlreadyUploaded" });
  });

  const hostile: [string, Buffer, RegExp][] = [
    ["that climbs out of the tree", rawZip([{ name: "../evil", data: "x" }]), /\.\.|outside/],
    ["with an absolute name", rawZip([{ name: "/etc/cron.d/evil", data: "x" }]), /absolute|outside|\//],
    ["with a symlink out of the tree", rawZip([{ name: "link", data: "../../etc/passwd", mode: 0o120777 }]), /link/],
    [
      "that is a bomb",
      rawZip([{ name: "zeros", data: Buffer.alloc(32 * 1024 * 1024), deflate: true }]),
      /unpack|bomb|times/i,
    ],
    ["that lies about its size", rawZip([{ name: "a", data: "xxxx", size: 2 }]), /size|says|bytes/i],
    ["that is no zip", Buffer.from("hello, I am no zip"), /zip/i],
    ["that was cut off", good().subarray(0, 40), /cut|zip|end/i],
  ];
  test.each(hostile)("%s is refused with the reason, and nothing is kept", async (_what, bits, reason) => {
    const ground = await listening();
    const { status, body, package: shown } = await upload(ground, { bits });
    expect([status, body.errors[0].title]).toEqual([422, "CF-AppBitsUploadInvalid"]);
    expect(body.errors[0].detail).toMatch(reason);
    expect(shown).toMatchObject({ state: "FAILED", data: { error: body.errors[0].detail } });
    expect(await leftovers(ground.api)).toEqual([]);
    expect(ground.api.blobs.used()).toBe(0);
  });

  test("that is larger than the setting allows is refused, and nothing is kept", async () => {
    const ground = await listening({ more: { uploadLimit: 100_000 } });
    const bits = rawZip([{ name: "random", data: randomBytes(200_000) }]);
    const { status, body, package: shown } = await upload(ground, { bits });
    expect([status, body.errors[0].code, shown.state]).toEqual([413, 160003, "FAILED"]);
    expect(await leftovers(ground.api)).toEqual([]);
  });

  test("for which there is no room says so, and nothing is half-stored", async () => {
    const ground = await listening({ blobs: memoryBlobs({ room: 10 }) });
    const { status, body, package: shown } = await upload(ground, { bits: good() });
    expect([status, body.errors[0].title]).toEqual([507, "CF-InsufficientStorage"]);
    expect(body.errors[0].detail).toMatch(/no room left/);
    expect(shown).toMatchObject({ state: "FAILED", data: { error: body.errors[0].detail } });
    expect([await leftovers(ground.api), ground.api.blobs.used()]).toEqual([[], 0]);
  });

  test("on a full disk of the controller says the same", async () => {
    const blobs = memoryBlobs();
    const full = Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" });
    const ground = await listening({ blobs: { ...blobs, put: () => Promise.reject(full) } });
    expect((await upload(ground, { bits: good() })).status).toBe(507);
    expect(new NoRoom("x")).toBeInstanceOf(Error);
  });

  test("that breaks off leaves a failed package and nothing else, and the push can be repeated", async () => {
    const { api, base } = await listening();
    const app = await newApp(api);
    const guid = await newPackage(api, app);
    const { port } = new URL(base);
    const socket = connect(Number(port), "127.0.0.1");
    const head = [
      `POST /v3/packages/${guid}/upload HTTP/1.1`,
      "host: api.tutti.test",
      `authorization: bearer ${api.token}`,
      "content-type: multipart/form-data; boundary=b",
      "content-length: 1000000",
      "",
      '--b\r\ncontent-disposition: form-data; name="bits"; filename="a.zip"\r\n\r\n',
    ].join("\r\n");
    socket.write(head);
    socket.write(Buffer.alloc(100_000));
    await until(() => api.tables.packages.get(guid)?.state === "PROCESSING_UPLOAD", { what: "the upload has begun" });
    await until(async () => (await leftovers(api)).length === 1, { what: "bytes are on disk" });
    socket.destroy();
    await until(() => api.tables.packages.get(guid)?.state === "FAILED", { what: "the upload has failed" });
    await until(async () => (await leftovers(api)).length === 0, { what: "nothing is left" });
    const again = await newPackage(api, app);
    expect((await send(base, api, { guid: again, form: uploadForm({ bits: good() }) })).status).toBe(200);
  });

  test("without bits and files, or in another form, is refused", async () => {
    const ground = await listening();
    expect((await upload(ground, {})).status).toBe(422);
    const guid = await newPackage(ground.api, await newApp(ground.api));
    const plain = await ground.api.ask("POST", `/v3/packages/${guid}/upload`, { body: {} });
    expect([plain.status, plain.body.errors[0].detail]).toEqual([422, expect.stringMatching(/multipart/)]);
  });

  test("from somebody without a token does not get to the disk", async () => {
    const { api, base } = await listening();
    const guid = await newPackage(api, await newApp(api));
    const reply = await fetch(`${base}/v3/packages/${guid}/upload`, {
      method: "POST",
      body: uploadForm({ bits: good() }),
    });
    expect(reply.status).toBe(401);
    expect(api.tables.packages.get(guid)?.state).toBe("AWAITING_UPLOAD");
  });
});

describe("files that are known already", () => {
  const large = randomBytes(100_000);
  const small = randomBytes(100);
  const resource = (path: string, bytes: Buffer) => ({
    path,
    mode: "100755",
    size_in_bytes: bytes.length,
    checksum: { value: sha1(bytes) },
  });

  async function taught() {
    const ground = await listening();
    await upload(ground, {
      bits: rawZip([
        { name: "lib/large.bin", data: large },
        { name: "small.bin", data: small },
      ]),
    });
    await ground.api.work.settled();
    return ground;
  }

  test("are told by their checksum, small ones never", async () => {
    const { api } = await taught();
    const resources = [resource("a", large), resource("b", small), resource("c", randomBytes(100_000))];
    const { status, body } = await api.ask("POST", "/v3/resource_matches", { body: { resources } });
    expect([status, body.resources]).toEqual([201, [resources[0]]]);
    const lying = { ...resource("a", large), size_in_bytes: 70_000 };
    expect((await api.ask("POST", "/v3/resource_matches", { body: { resources: [lying] } })).body.resources).toEqual(
      [],
    );
    expect((await api.ask("POST", "/v3/resource_matches", { body: { resources: [] } })).status).toBe(422);
  });

  test("are packed beside what is sent, or alone, by both names that clients give them", async () => {
    const ground = await taught();
    const older = { fn: "again/large.bin", mode: "644", size: large.length, sha1: sha1(large) };
    for (const parts of [{ bits: good(), resources: [resource("again/large.bin", large)] }, { resources: [older] }]) {
      const { status, body, guid } = await upload(ground, parts);
      expect([status, body.state]).toEqual([200, "READY"]);
      const bytes = await ground.api.blobs.get(ground.api.tables.packages.get(guid)?.sha256 ?? "");
      const zip = Buffer.concat(await Array.fromAsync(bytes as Readable));
      expect(zip.includes("again/large.bin")).toBe(true);
      expect(zip.includes("app.js")).toBe("bits" in parts);
    }
    await ground.api.work.settled();
    expect(await leftovers(ground.api)).toEqual([]);
  });

  test("that are not known after all, or lead out of the tree, fail the upload", async () => {
    const ground = await taught();
    const refusal = async (one: unknown) => {
      const { status, body, package: shown } = await upload(ground, { resources: one });
      return `${status} ${shown.state} ${body.errors[0].detail}`;
    };
    expect(await refusal([resource("x.bin", randomBytes(100_000))])).toMatch(/^422 FAILED .*x\.bin is not known here/);
    expect(await refusal([resource("../x.bin", large)])).toMatch(/^422 FAILED .*\.\./);
    expect(await refusal({ not: "a list" })).toMatch(/^422 FAILED .*not a JSON array/);
  });
});

describe("packages", () => {
  test("are copied to another app without moving their bits", async () => {
    const ground = await listening();
    const { guid, body } = await upload(ground, { bits: good() });
    const app = await newApp(ground.api);
    const copy = await ground.api.ask("POST", `/v3/packages?source_guid=${guid}`, {
      body: { relationships: { app: { data: { guid: app } } } },
    });
    expect([copy.status, copy.body.state, copy.body.data.checksum]).toEqual([201, "READY", body.data.checksum]);
    expect((await ground.api.job(await ground.api.ask("DELETE", `/v3/packages/${guid}`))).state).toBe("COMPLETE");
    expect(await ground.api.blobs.has(body.data.checksum.value)).toBeDefined();
  });

  test("that are old let go of their bits; the newest five stay", async () => {
    const { api, base } = await listening();
    const app = await startedApp(api);
    const hashes: string[] = [];
    for (let count = 0; count < 7; count++) {
      const guid = await newPackage(api, app);
      const { body } = await send(base, api, {
        guid,
        form: uploadForm({ bits: rawZip([{ name: `file-${count}`, data: "x" }]) }),
      });
      hashes.push(body.data.checksum.value);
      await api.work.settled();
    }
    const { body } = await api.ask("GET", `/v3/apps/${app}/packages?order_by=created_at`);
    expect(body.resources.map((one: { state: string }) => one.state)).toEqual([
      ...Array(2).fill("EXPIRED"),
      ...Array(5).fill("READY"),
    ]);
    expect(await api.blobs.has(hashes[0] ?? "")).toBeUndefined();
    expect(await api.blobs.has(hashes[6] ?? "")).toBeDefined();
    expect((await api.ask("GET", `/v3/packages?states=READY&app_guids=${app}`)).body.pagination.total_results).toBe(5);
  });
});
