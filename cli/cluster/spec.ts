import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type ClusterSpec, parseCluster } from "../../roles/spec.ts";
import { exits, Fault } from "../fault.ts";

export interface ReadSpec {
  /** Whole path. */
  readonly file: string;
  readonly spec: ClusterSpec;
}

/** The `cluster.yaml` of a cluster on EC2, or the one of a directory. Throws SpecError with every problem, or a Fault. */
export function readSpec(given: string): ReadSpec {
  const { file, spec } = readAnySpec(given);
  if (spec.aws) return { file, spec };
  throw new Fault(`${file}: cluster ${spec.name} has no ground: there is no section aws`, {
    code: "no_ground",
    hint: "add it (region, owner …; see examples/trio/cluster.yaml), or: tutti solo up --spec FILE",
  });
}

/** The same, wherever the cluster stands. */
export function readAnySpec(given: string): ReadSpec {
  const path = resolve(given);
  const directory = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  const file = directory ? join(path, "cluster.yaml") : path;
  return { file, spec: parseCluster(text(file), file) };
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Fault(code === "ENOENT" ? `${file} is not there` : message, {
      code: "no_spec",
      hint: "examples are in examples/*/cluster.yaml",
      cause,
      exit: exits.failed,
    });
  }
}
