import { memoryBlobs } from "../../../agent/store/memoryBlobs.ts";
import { blobsContract } from "./blobs.contract.ts";

blobsContract("in memory", async () => {
  const blobs = memoryBlobs({ room: 4 * 1024 * 1024 });
  return { blobs, held: async () => blobs.used(), close: async () => {} };
});
