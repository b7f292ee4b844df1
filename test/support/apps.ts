import { fileURLToPath } from "node:url";
import type { Solo } from "./solo.ts";

const apps = fileURLToPath(new URL("../../examples/apps", import.meta.url));

export const hello = `${apps}/hello`;
/** An example app by its folder. */
export const example = (name: string) => `${apps}/${name}`;

/** Which process of hello answers. */
export async function app(solo: Solo, host: string): Promise<{ pid: number; index: number; instance: string }> {
  const page = await solo.get(host, "/whoami");
  if (page.status !== 200) throw new Error(`${host} answers ${page.status}: ${page.body}`);
  return JSON.parse(page.body) as { pid: number; index: number; instance: string };
}
