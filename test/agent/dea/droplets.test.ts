import { createHash } from "node:crypto";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { droplets } from "../../../agent/dea/droplets.ts";
import { blobServer, scratch } from "../../support/dea.ts";

const stop = new AbortController().signal;

async function cache(limit: number) {
  const server = await blobServer();
  const directory = join(scratch(), "droplets");
  const blob = (text: string) => {
    const path = join(scratch(), "blob");
    writeFileSync(path, text);
    return { sha1: createHash("sha1").update(text).digest("hex"), uri: server.put(path) };
  };
  return { server, directory, blob, store: droplets({ directory, limit, stop }) };
}

test("a droplet is fetched once, then it is here", async () => {
  const { server, blob, store } = await cache(1000);
  const { sha1, uri } = blob("content");
  const [first, same] = await Promise.all([store.get(sha1, uri), store.get(sha1.toUpperCase(), uri)]);
  expect(first).toEqual(same);
  expect(first.bytes).toBe(7);
  expect((await store.get(sha1, uri)).bytes).toBe(0);
  expect(server.asked).toHaveLength(1);
});

test("the longest unused go when there are too many bytes", async () => {
  const { directory, blob, store } = await cache(25);
  const [a, b, c] = ["a".repeat(10), "b".repeat(10), "c".repeat(10)].map(blob);
  for (const [at, one] of [a, b].entries()) {
    const { path } = await store.get(one?.sha1 ?? "", one?.uri ?? "");
    utimesSync(path, at + 1, at + 1);
  }
  await store.get(a?.sha1 ?? "", a?.uri ?? "");
  await store.get(c?.sha1 ?? "", c?.uri ?? "");
  expect(readdirSync(directory).sort()).toEqual([`${a?.sha1}.tgz`, `${c?.sha1}.tgz`].sort());
});

test("what fails leaves nothing behind, and the next try may work", async () => {
  const { directory, blob, store } = await cache(1000);
  const { sha1, uri } = blob("right");
  const { uri: other } = blob("wrong");
  await expect(store.get(sha1, other)).rejects.toMatchObject({ code: "droplet_unavailable" });
  expect(readdirSync(directory)).toEqual([]);
  expect(existsSync((await store.get(sha1, uri)).path)).toBe(true);
});
