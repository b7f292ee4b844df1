import { fileURLToPath } from "node:url";
import { Cluster } from "tutti/infra";

// A program of your own: everything else that you have on AWS may be declared beside the cluster.

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const cluster = new Cluster("trio", {
  spec: here("cluster.yaml"),
  bundle: process.env["TUTTI_BUNDLE"] ?? here("../../.cache/bundle"),
});

export const { nodes, api, routers, next } = cluster;
