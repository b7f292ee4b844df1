import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { BadArchive } from "../../archive/bad.ts";
import { type ZipEntry, zipLimits } from "../../archive/entry.ts";
import { inspectZip, mergeZip } from "../../archive/zip.ts";
import type { BlobInfo } from "../../store/blobs.ts";
import { thriftily } from "../../store/thrift.ts";
import type { Package } from "../records.ts";
import type { Api, Call } from "./api.ts";
import { asApiError, isFull } from "./asApiError.ts";
import { appTarget, audit } from "./audit.ts";
import { ApiError, kinds, unprocessable } from "./errors.ts";
import { learnResources } from "./learn.ts";
import { pulse } from "./pulse.ts";
import { receiveParts } from "./receive.ts";
import { knownFiles } from "./resources.ts";
import { expireBits } from "./unused.ts";

/**
 * Takes in the bits of a package: to disk, looked at, completed by files known from before, into the blobs. Whatever
 * goes wrong, the package is FAILED with the reason, and nothing of the upload is left.
 */
export async function uploadBits(api: Api, call: Call, { guid }: Package): Promise<Package> {
  const pkg = await begin(api, guid);
  const directory = await mkdtemp(join(api.uploads, `${guid}-`)).catch(async (error: unknown) => {
    throw await failed(api, pkg, error);
  });
  let learning = false;
  const rest = pulse(() => api.tables.packages.update(guid, (old) => ({ ...old })));
  try {
    const zip = await thriftily(() => receive(api, call, directory));
    const ready = await store(api, pkg, zip);
    await recordUpload(api, call, ready);
    learning = true;
    api.background("keeping files of an upload", async () => {
      try {
        await thriftily(() => learnResources(api, zip, directory));
        await expireBits(api, ready.app);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
    return ready;
  } catch (error) {
    throw await failed(api, pkg, error);
  } finally {
    rest();
    if (!learning) await rm(directory, { recursive: true, force: true });
  }
}

/** Bits may come once: of two uploads at the same time one is refused. */
async function begin(api: Api, guid: string): Promise<Package> {
  let mine = false;
  const pkg = await api.tables.packages.update(guid, (old) => {
    mine = old.state === "AWAITING_UPLOAD";
    return mine ? { ...old, state: "PROCESSING_UPLOAD", controller: api.id } : undefined;
  });
  if (mine) return pkg;
  const detail = "Bits may be uploaded only once. Create a new package to upload different bits.";
  throw new ApiError(kinds.uploaded, detail);
}

interface Received {
  path: string;
  entries: ZipEntry[];
}

async function receive(api: Api, { request }: Call, directory: string): Promise<Received> {
  const { bits, resources } = await receiveParts(request, { directory, limit: api.uploadLimit });
  const extra = resources === undefined ? [] : await knownFiles(api, resources);
  if (bits === undefined && extra.length === 0) throw unprocessable("Upload must include either resources or bits");
  const entries = bits === undefined ? [] : await inspectZip(bits, zipLimits);
  if (bits !== undefined && extra.length === 0) return { path: bits, entries };
  const path = join(directory, "merged.zip");
  await mergeZip({ upload: bits, extra }, path);
  return { path, entries };
}

async function store(api: Api, { guid }: Package, { path }: Received): Promise<Package> {
  const take = () => api.blobs.put(createReadStream(path));
  let info: BlobInfo = await take();
  const ready = await api.tables.packages.update(guid, (old) => ({
    ...old,
    state: "READY",
    sha256: info.sha256,
    controller: undefined,
  }));
  // Another app with the same bits may have been deleted in between, and the blob with it.
  if (!(await api.blobs.has(info.sha256))) info = await take();
  return ready;
}

async function recordUpload(api: Api, call: Call, { app: guid, guid: package_guid }: Package): Promise<void> {
  const app = api.tables.apps.get(guid);
  if (!app) return;
  await audit(api, call, { type: "audit.app.package.upload", target: appTarget(app), data: { package_guid } });
  api.engine.log(guid, `Uploading app package for app with guid ${guid}`);
}

async function failed(api: Api, { guid }: Package, error: unknown): Promise<ApiError> {
  const told = error instanceof BadArchive ? refused(error) : asApiError(error);
  if (told.status >= 500 && !isFull(error))
    api.log.error({ package: guid, error: String(error) }, "An upload has failed");
  await api.tables.packages
    .update(guid, (old) => ({ ...old, state: "FAILED", error: told.message, controller: undefined }))
    .catch(() => {});
  return told;
}

const refused = ({ message, hint }: BadArchive) =>
  new ApiError(kinds.upload, `The app upload is invalid: ${message} (${hint})`);
