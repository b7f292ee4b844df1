import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Call } from "../call.ts";
import { bundleOf } from "../cluster/bundle.ts";
import { Fault } from "../fault.ts";

/** The agent as it is brought to a machine. */
export interface LocalBundle {
  readonly file: string;
  readonly version: string;
  /** Hex. */
  readonly sha256: string;
  readonly bytes: Buffer;
  /** Of its directory on machines. */
  readonly name: string;
}

/** The bundle for an architecture: the one that was named, else the newest that was made here. */
export function bundleFor(call: Call, architecture: "x64" | "arm64"): LocalBundle {
  const file = bundleOf(call, { architecture });
  const [, version, made] =
    /tutti-agent-(\d+\.\d+\.\d+[^-]*)-(?:(x64|arm64)-)?/.exec(file.split("/").at(-1) ?? "") ?? [];
  if (made && made !== architecture)
    throw new Fault(`${file} is for ${made}, and a machine here is ${architecture}`, {
      code: "wrong_architecture",
      hint: `name a directory that has one for each, or make it: node tools/bundle.mjs --architecture ${architecture}`,
    });
  const bytes = readFileSync(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, version: version ?? "0.0.0", sha256, bytes, name: `${version ?? "0.0.0"}-${sha256.slice(0, 12)}` };
}
