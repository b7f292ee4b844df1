import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { Fault } from "../run/fault.ts";

/**
 * Posts a file as the form's part `upload[droplet]`. Rejects with Fault, or with the connection's error.
 * Written by hand because fetch reads a whole file ahead of a slow receiver: a droplet may be larger than the memory.
 */
export async function upload(url: string, path: string, signal: AbortSignal): Promise<void> {
  const form = frame();
  const { size } = await stat(path);
  const headers = {
    "content-type": `multipart/form-data; boundary=${form.boundary}`,
    "content-length": form.head.length + size + form.tail.length,
  };
  const { request } = url.startsWith("https:") ? https : http;
  // A connection of its own: one that was idle may be closed by the other side just now.
  const asked = request(url, { method: "POST", headers, signal, agent: false });
  const answer = answerTo(asked);
  const body = async function* () {
    yield form.head;
    yield* createReadStream(path);
    yield form.tail;
  };
  // A receiver that refuses early closes its ear before everything is sent: its answer is worth more than the error.
  const sent = pipeline(body, asked, { signal }).then(
    () => answer,
    (error) => orElse(answer, error),
  );
  const { status, text } = await sent;
  if (status < 200 || status > 299)
    throw new Fault(`the controller answered ${status}${text && `: ${text}`}`, { code: "refused" });
}

interface Answer {
  status: number;
  /** Its beginning. */
  text: string;
}

function frame(): { boundary: string; head: Buffer; tail: Buffer } {
  const boundary = `tutti-${randomBytes(16).toString("hex")}`;
  const disposition = 'content-disposition: form-data; name="upload[droplet]"; filename="droplet.tgz"';
  const head = Buffer.from(`--${boundary}\r\n${disposition}\r\ncontent-type: application/gzip\r\n\r\n`);
  return { boundary, head, tail: Buffer.from(`\r\n--${boundary}--\r\n`) };
}

function answerTo(asked: ClientRequest): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    asked.on("error", reject);
    asked.once("response", (response) => read(response).then(resolve, reject));
  });
  answer.catch(() => {});
  return answer;
}

async function read(response: IncomingMessage): Promise<Answer> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text = (text + chunk).slice(0, 300);
  return { status: response.statusCode ?? 0, text: text.trim() };
}

function orElse(answer: Promise<Answer>, error: unknown): Promise<Answer> {
  return answer.catch(() => Promise.reject(error));
}
