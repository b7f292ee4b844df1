import type { JetStreamManager } from "@nats-io/jetstream";

// How the object store keeps things: chunks under $O.<bucket>.C.<number>, what is told of them under $O.<bucket>.M.<name>.

/** An object as its metadata tells it. */
export interface Stored {
  readonly bucket: string;
  readonly name: string;
  readonly nuid: string;
  readonly size: number;
}

export const streamOf = (bucket: string) => `OBJ_${bucket}`;
const chunks = ({ bucket, nuid }: Pick<Stored, "bucket" | "nuid">) => `$O.${bucket}.C.${nuid}`;
const meta = ({ bucket, name }: Pick<Stored, "bucket" | "name">) =>
  `$O.${bucket}.M.${Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`;

/**
 * The chunks of an object, each asked for when the one before has been taken: the client's own reading would pile up
 * the whole object in memory for a slow reader.
 */
export async function* chunksOf(jsm: JetStreamManager, object: Stored): AsyncGenerator<Uint8Array> {
  let seq = 1;
  for (let read = 0; read < object.size; ) {
    const wanted = { seq, next_by_subj: chunks(object) };
    const stream = streamOf(object.bucket);
    // Any copy will do, and may be a moment behind: what it does not have yet, the leader has.
    const message = (await jsm.direct.getMessage(stream, wanted)) ?? (await jsm.streams.getMessage(stream, wanted));
    if (!message) throw new Error(`a part of ${object.name} is missing after ${read} of ${object.size} bytes`);
    seq = message.seq + 1;
    read += message.data.length;
    yield message.data;
  }
}

/** Removes an object without leaving a trace. */
export async function forgetObject(jsm: JetStreamManager, object: Stored): Promise<void> {
  await jsm.streams.purge(streamOf(object.bucket), { filter: meta(object) });
  await jsm.streams.purge(streamOf(object.bucket), { filter: chunks(object) });
}
