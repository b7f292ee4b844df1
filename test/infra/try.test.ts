import { readFileSync } from "node:fs";
import { it } from "vitest";
import { Cluster } from "../../infra/cluster.ts";
import { parseCluster } from "../../roles/spec.ts";
import { declare } from "../support/pulumi.ts";
it("x", async () => {
  const spec = parseCluster(readFileSync("examples/trio/cluster.yaml", "utf8").replace("~/.ssh/id_ed25519.pub", "ssh-ed25519 AAAA me"));
  const d = await declare(() => { const c = new Cluster("trio", { spec, bundle: { version: "1", sha256: "a".repeat(64), file: "/tmp/b.tar.gz" }, render: (b) => Buffer.from(JSON.stringify(b)) }); return { nodes: c.nodes, api: c.api, next: c.next, ca: c.ca }; });
  for (const r of d.all) console.log(r.urn, JSON.stringify(r.inputs).slice(0, 300), r.secretInputs.join());
  console.log(JSON.stringify(d.outputs, null, 1));
});
