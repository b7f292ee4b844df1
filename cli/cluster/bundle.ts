import { existsSync, globSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { AwsSpec } from "../../roles/aws.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { projectFile } from "./offline/place.ts";

/** Path of the agent bundle that nodes will get: `--bundle` (of an upgrade `--to`), TUTTI_BUNDLE, or the newest that was made here. */
export function bundleOf(call: Call, { architecture }: Pick<AwsSpec, "architecture">): string {
  const given = call.text("bundle") ?? call.text("to") ?? call.io.env["TUTTI_BUNDLE"];
  const path = resolve(given ?? projectFile(".cache/bundle"));
  const found = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? newest(path, architecture) : path;
  if (found && existsSync(found)) return found;
  throw new Fault(given ? `there is no agent bundle at ${path}` : `there is no agent bundle for ${architecture} yet`, {
    code: "no_bundle",
    hint: `make it: node tools/bundle.mjs --architecture ${architecture}`,
  });
}

/** A bundle has the Node of one architecture in it: that of the other would start nothing. */
function newest(directory: string, architecture: string): string | undefined {
  const files = globSync(`${directory}/tutti-agent-*-${architecture}-*.tar.gz`);
  return files.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs)[0];
}
