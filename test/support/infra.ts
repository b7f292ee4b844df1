import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { Cluster, type ClusterArgs } from "../../infra/cluster.ts";
import type { Birth } from "../../roles/birth.ts";
import { type ClusterSpec, parseCluster } from "../../roles/spec.ts";
import { type Declared, type DeclareOptions, declare } from "./pulumi.ts";

export const bundle = {
  version: "0.1.0",
  sha256: "ab".repeat(32),
  file: "/nowhere/tutti-agent-0.1.0-x64-abababab.tar.gz",
};

/** A profile of `examples/`, with a key that is on every machine. */
export function profile(name: string, change: (text: string) => string = (text) => text): ClusterSpec {
  const text = readFileSync(new URL(`../../examples/${name}/cluster.yaml`, import.meta.url), "utf8");
  return parseCluster(change(text.replace("~/.ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3Nza you@example.com")), name);
}

/** What stands in for cloud-init's template where it is not what is tested: the birth itself. */
export const plainBirth = (birth: Birth): Uint8Array => gzipSync(JSON.stringify(birth));

export function readBirth(userDataBase64: string): Birth {
  return JSON.parse(gunzipSync(Buffer.from(userDataBase64, "base64")).toString("utf8"));
}

/** Everything that a cluster of this spec declares. */
export function declareCluster(
  spec: ClusterSpec,
  args: Partial<ClusterArgs> = {},
  options: DeclareOptions = {},
): Promise<Declared> {
  return declare(() => {
    const cluster = new Cluster(spec.name, { spec, bundle, render: plainBirth, ...args });
    const { nodes, api, routers, next, ca } = cluster;
    return { nodes, api, routers, next, ca };
  }, options);
}
