import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Address } from "../../bootstrap/ssh.ts";
import { tuttiHome } from "../cluster/offline/place.ts";

/** Where the ssh of machines answers that were attached by hand: by the cluster's API, then by node. */
const shape = z.record(
  z.string(),
  z.record(z.string(), z.object({ host: z.string(), port: z.number(), user: z.string() })),
);

const fileIn = (env: NodeJS.ProcessEnv) => join(tuttiHome(env), "machines.json");

async function all(env: NodeJS.ProcessEnv): Promise<z.output<typeof shape>> {
  try {
    return shape.parse(JSON.parse(await readFile(fileIn(env), "utf8")));
  } catch {
    // What cannot be read is as good as nothing: everything in it can be typed again.
    return {};
  }
}

/** Node → where its machine was reached last. */
export async function remembered(env: NodeJS.ProcessEnv, api: string): Promise<Readonly<Record<string, Address>>> {
  return (await all(env))[api] ?? {};
}

/** `address` undefined: the node is forgotten. */
export async function remember(
  env: NodeJS.ProcessEnv,
  api: string,
  { node, address }: { node: string; address: Address | undefined },
): Promise<void> {
  const whole = await all(env);
  const { [node]: _old, ...others } = whole[api] ?? {};
  const kept = address ? { host: address.host, port: address.port, user: address.user } : undefined;
  const text = JSON.stringify({ ...whole, [api]: { ...others, ...(kept && { [node]: kept }) } }, undefined, 2);
  const file = fileIn(env);
  await mkdir(tuttiHome(env), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
