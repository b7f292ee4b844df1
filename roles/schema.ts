import { z } from "zod";
import { clusterSpec } from "./spec.ts";

/** JSON schema of `cluster.yaml` for editors: knows each key, its default and what it is for, not what hangs together. */
export function clusterSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(clusterSpec, { io: "input" });
  return {
    $schema,
    title: "cluster.yaml of tutti",
    description: "A cluster: its name, its domain, where it stands, and its nodes with their roles",
    ...rest,
  };
}
