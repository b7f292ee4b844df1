import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Fault } from "./fault.ts";
import type { Io } from "./io.ts";

/** Asks on stderr, so that stdout stays the result's. */
export async function ask({ stdin, stderr }: Io, question: string): Promise<string> {
  return answer(createInterface({ input: stdin, output: stderr }), question);
}

/** As `ask`, without showing what is typed. */
export async function askHidden({ stdin, stderr }: Io, question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  stderr.write(question);
  try {
    return await answer(createInterface({ input: stdin, output: nowhere, terminal: true }), "");
  } finally {
    stderr.write("\n");
  }
}

async function answer(lines: ReturnType<typeof createInterface>, question: string): Promise<string> {
  const left = new AbortController();
  lines.once("SIGINT", () => left.abort());
  lines.once("close", () => left.abort());
  try {
    return (await lines.question(question, { signal: left.signal })).trim();
  } catch (error) {
    throw new Fault("no answer was given", { code: "no_answer", cause: error });
  } finally {
    lines.close();
  }
}

/** The first line of a stream that is no terminal; the rest is ignored. */
export async function firstLine(stream: NodeJS.ReadStream): Promise<string> {
  return (await whole(stream)).split(/\r?\n/)[0] ?? "";
}

/** Everything a stream has, as text. */
export async function whole(stream: NodeJS.ReadStream): Promise<string> {
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}
