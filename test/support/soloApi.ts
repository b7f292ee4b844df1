import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import type { Solo } from "./solo.ts";

export interface ApiReply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  body: any;
}

interface Sending {
  solo: Solo;
  method: string;
  path: string;
  headers?: Record<string, string | number>;
  /** Bytes, or a file between two pieces of text. */
  body?: string | Buffer | { before: string; file: string; after: string };
}

/** One request to a solo cluster's API, as a client that is not ours would send it. */
export async function send({ solo, method, path, headers = {}, body = "" }: Sending): Promise<ApiReply> {
  const { host, port } = new URL(solo.api);
  const asked = request({ host: "127.0.0.1", port, method, path, headers: { ...headers, host } });
  const answered = once(asked, "response") as Promise<[IncomingMessage]>;
  if (typeof body === "string" || Buffer.isBuffer(body)) asked.end(body);
  else {
    asked.write(body.before);
    createReadStream(body.file)
      .on("end", () => asked.end(body.after))
      .pipe(asked, { end: false });
  }
  const [answer] = await answered;
  return { status: answer.statusCode ?? 0, body: await json(answer) };
}

export interface SoloApi {
  ask(method: string, path: string, body?: object): Promise<ApiReply>;
  /** A new package of an app, by the app's name. */
  newPackage(app: string): Promise<string>;
  /** Sends a zip: as bytes, or from a file. */
  upload(guid: string, bits: Buffer | { file: string }): Promise<ApiReply>;
}

/** The API of a solo cluster with its first user logged in. */
export async function soloApi(solo: Solo): Promise<SoloApi> {
  const form = new URLSearchParams({ grant_type: "password", username: solo.email, password: solo.password });
  const basic = { authorization: "Basic Y2Y6", "content-type": "application/x-www-form-urlencoded" };
  const { body } = await send({ solo, method: "POST", path: "/oauth/token", headers: basic, body: form.toString() });
  const authorization = `bearer ${body.access_token}`;
  const ask: SoloApi["ask"] = (method, path, asked) => {
    const headers = { authorization, ...(asked && { "content-type": "application/json" }) };
    return send({ solo, method, path, headers, ...(asked && { body: JSON.stringify(asked) }) });
  };
  return {
    ask,
    async newPackage(name) {
      const app = (await ask("GET", `/v3/apps?names=${name}`)).body.resources[0].guid as string;
      const asked = { type: "bits", relationships: { app: { data: { guid: app } } } };
      return (await ask("POST", "/v3/packages", asked)).body.guid as string;
    },
    upload(guid, bits) {
      const [before, after] = multipart();
      const size = Buffer.isBuffer(bits) ? bits.length : statSync(bits.file).size;
      const headers = {
        authorization,
        "content-type": "multipart/form-data; boundary=b-o-u-n-d",
        "content-length": before.length + size + after.length,
      };
      const body = Buffer.isBuffer(bits)
        ? Buffer.concat([Buffer.from(before), bits, Buffer.from(after)])
        : { before, file: bits.file, after };
      return send({ solo, method: "POST", path: `/v3/packages/${guid}/upload`, headers, body });
    },
  };
}

const multipart = () =>
  [
    '--b-o-u-n-d\r\ncontent-disposition: form-data; name="bits"; filename="app.zip"\r\ncontent-type: application/zip\r\n\r\n',
    "\r\n--b-o-u-n-d--\r\n",
  ] as const;
