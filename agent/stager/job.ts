import { zipLimits } from "../archive/entry.ts";
import { extractZip } from "../archive/zip.ts";
import type { StagingRequest, StagingResult } from "../bus/messages/staging.ts";
import { build } from "./build.ts";
import { type Detected, detect } from "./detect.ts";
import { download } from "./download.ts";
import { furnish, type Packed, pack } from "./droplet.ts";
import { limited } from "./limited.ts";
import type { Settings } from "./options.ts";
import type { Order } from "./order.ts";
import { type Output, output } from "./output.ts";
import { sourceIn } from "./source.ts";
import { errorText, phase, StagingError, summary } from "./stagingError.ts";
import { upload } from "./upload.ts";
import { close, open, type Workspace, workspace } from "./workspace.ts";

/** One staging under way. */
export interface Job {
  request: StagingRequest;
  options: Settings;
  space: Workspace;
  out: Output;
  /** Aborted when the job must end; its reason is a StagingError that says why. */
  signal: AbortSignal;
}

/** Turns bits into a droplet. Always resolves: a failure is told in the result's `error` and in the app's log. */
export async function stage(
  { task, request }: Pick<Order, "task" | "request">,
  options: Settings,
  stop: AbortSignal,
): Promise<StagingResult> {
  const space = workspace(options.home, task);
  const out = output(options.bus, request.app_id);
  try {
    const done = await limited({ ...options, directory: space.root, stop }, (signal) =>
      steps({ request, options, space, out, signal }),
    );
    return { task_id: task, task_log: out.text(), ...done };
  } catch (cause) {
    const error = cause instanceof StagingError ? cause : new StagingError("InternalError", String(cause), { cause });
    out.lines([`Staging failed: ${summary(error)}`], true);
    options.log.warn({ app: request.app_id, task, kind: error.kind, error: error.message }, "a staging failed");
    return { task_id: task, task_log: out.text(), error: errorText(error) };
  } finally {
    await close(space).catch((error) => options.log.error({ task, error: String(error) }, "a workspace stays behind"));
  }
}

type Facts = Omit<StagingResult, "task_id" | "task_log" | "error">;

async function steps(job: Job): Promise<Facts> {
  const { space, out, signal } = job;
  await phase("InternalError", "the workspace cannot be made: ", () => open(space, job.options.user));
  await bits(job);
  const detected = await phase("StagingPluginError", "", async () => look(job));
  await build(job, detected.plan);
  const began = Date.now();
  const packed = await phase("DropletCreationError", "the droplet cannot be packed: ", async () => {
    await furnish(space, detected);
    return pack(space, signal);
  });
  out.lines([`Packed the droplet: ${mebibytes(packed.bytes)} in ${seconds(began)}`]);
  const sending = Date.now();
  await phase("DropletUploadError", "the droplet cannot be uploaded: ", () =>
    upload(job.request.upload_uri, space.tarball, signal),
  );
  out.lines([`Uploaded the droplet in ${seconds(sending)}: sha1 ${packed.sha1}`]);
  return facts(detected, packed);
}

async function bits({ request, options, space, out, signal }: Job): Promise<void> {
  const began = Date.now();
  const limit = options.diskLimit * 2 ** 20;
  const size = await phase("AppDownloadError", "the app's bits cannot be downloaded: ", () =>
    download(request.download_uri, space.bits, { limit, signal }),
  );
  await phase("AppUnzipError", "the app's archive is refused: ", () =>
    extractZip(space.bits, space.app, { ...zipLimits, entries: 500_000, bytes: Math.min(limit, zipLimits.bytes) }),
  );
  out.lines([`Downloaded and unpacked the app: ${mebibytes(size)} in ${seconds(began)}`]);
}

function look({ request, space, out }: Job): Detected {
  const { framework, meta } = request.properties;
  const detected = detect(sourceIn(space.app), { framework, command: meta.command });
  out.lines([`Framework: ${detected.framework} (${detected.reason})`, ...detected.plan.notes]);
  for (const [type, command] of Object.entries(detected.processTypes)) out.lines([`Process ${type}: ${command}`]);
  return detected;
}

function facts({ framework, start, processTypes }: Detected, { sha1 }: Packed): Facts {
  return { detected_buildpack: framework, detected_start_command: start, procfile: processTypes, droplet_sha1: sha1 };
}

function mebibytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(2)} s`;
}
