import type { JetStreamManager } from "@nats-io/jetstream";
import { forgetObject, type Stored, streamOf } from "./objectStream.ts";

/**
 * Removes uploads that broke off before `before` (Unix ms): drafts that were never renamed, and chunks that nothing
 * tells of. An upload that goes on has a chunk that is younger.
 */
export async function sweep(
  jsm: JetStreamManager,
  { bucket, before }: { bucket: string; before: number },
): Promise<number> {
  const stream = streamOf(bucket);
  const last = (subject: string) => jsm.streams.getMessage(stream, { last_by_subj: subject });
  // Chunks first: what is renamed meanwhile is then found among the metadata.
  const chunks = await subjectsOf(jsm, { stream, filter: `$O.${bucket}.C.>` });
  const told = new Map<string, Stored>();
  for (const subject of await subjectsOf(jsm, { stream, filter: `$O.${bucket}.M.>` })) {
    const info = (await last(subject))?.json<Stored>();
    // A rename that broke off halfway leaves two names: the final one counts.
    if (info && !(told.has(info.nuid) && isDraft(info))) told.set(info.nuid, info);
  }
  let removed = 0;
  for (const subject of chunks) {
    const nuid = subject.slice(`$O.${bucket}.C.`.length);
    const known = told.get(nuid);
    if (known && !isDraft(known)) continue;
    const time = (await last(subject))?.time.getTime();
    if (time === undefined || time >= before) continue;
    await forgetObject(jsm, known ?? { bucket, nuid, name: "", size: 0 });
    removed++;
  }
  return removed;
}

const isDraft = ({ name }: Stored) => name.startsWith("upload-");

async function subjectsOf(
  jsm: JetStreamManager,
  { stream, filter }: { stream: string; filter: string },
): Promise<string[]> {
  const { state } = await jsm.streams.info(stream, { subjects_filter: filter });
  return Object.keys(state.subjects ?? {});
}
