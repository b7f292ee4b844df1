import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Config } from "@pulumi/pulumi";
import { Cluster } from "./cluster.ts";
import { readCluster } from "./sources.ts";

// The program that `pulumi up` runs in this folder, and `tutti up SPEC` from anywhere: one cluster.yaml, one cluster.

const config = new Config("tutti");
const project = join(dirname(fileURLToPath(import.meta.url)), "..");
const file = process.env["TUTTI_SPEC"] ?? config.get("spec") ?? "cluster.yaml";
const bundle = process.env["TUTTI_BUNDLE"] ?? config.get("bundle") ?? join(project, ".cache", "bundle");
const cluster = new Cluster(readCluster(file).name, {
  spec: file,
  bundle,
  // What a person has set, and what an interrupted run has left.
  adopt: { ...config.getObject<Record<string, string>>("adopt"), ...JSON.parse(process.env["TUTTI_ADOPT"] ?? "{}") },
});

export const { nodes, api, routers, next, ca } = cluster;
