import { Readable } from "node:stream";
import { dial } from "../../agent/bus/nats.ts";
import { silent } from "../../agent/run/log.ts";
import { objectBlobs } from "../../agent/store/objects.ts";

// How much a process grows while a blob of so many MiB goes through it: node blobMemory.ts nats://… 1024
// Prints {"put": MiB, "get": MiB, "putSeconds", "getSeconds"}.

const [url = "", size = "256"] = process.argv.slice(2);
const { connection, close } = await dial({ servers: url, name: "memory", user: "controller", log: silent });
const blobs = objectBlobs(connection);
const mib = 1024 * 1024;

function* bytes(count: number) {
  for (let i = 0; i < count * 16; i++) yield Buffer.alloc(mib / 16, i % 251);
}

/** Runs it and tells the highest growth of resident memory in MiB. */
async function growth(act: () => Promise<unknown>) {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, 10);
  const began = performance.now();
  await act();
  clearInterval(timer);
  return { grown: Math.round((highest - before) / mib), seconds: (performance.now() - began) / 1000 };
}

// A first small one, so that what is loaded once is not counted.
const warm = await blobs.put(Readable.from(bytes(8)));
for await (const _chunk of (await blobs.get(warm.sha256)) ?? []);
let sha256 = "";
const put = await growth(async () => {
  ({ sha256 } = await blobs.put(Readable.from(bytes(Number(size)))));
});
const get = await growth(async () => {
  // A reader that does not hurry.
  for await (const chunk of (await blobs.get(sha256)) ?? [])
    if (chunk[0] === 7) await new Promise((resolve) => setTimeout(resolve, 1));
});
console.log(JSON.stringify({ put: put.grown, get: get.grown, putSeconds: put.seconds, getSeconds: get.seconds }));
await blobs.delete(sha256);
await close();
