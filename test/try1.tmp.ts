import { machine, stage } from "./support/firstContact.ts";
import { person } from "./support/tutti.ts";
import { writeFileSync } from "node:fs";
const s = await stage();
const m = await machine({ controller: s.port, authorized: [s.key.publicLine] });
m.write("etc/shadow", "root:*:1:\nstackato:$y$abc:19000:0:\n");
const p = await person();
writeFileSync(p.home + "/kh", m.known);
const a = (...x: string[]) => ["bootstrap", "--host", `${m.target.user}@127.0.0.1:${m.target.port}`, "--identity", s.key.file, ...x];
for (const args of [a(), a("--known-hosts", p.home + "/kh", "--plan"), a("--known-hosts", p.home + "/kh"), a("--plan"), a(), a("--json"), a("--email", "x@y.z"),]) {
  const t = performance.now();
  const r = await p.tutti(args);
  console.log("###", args.slice(5).join(" "), "→", r.code, Math.round(performance.now() - t), "ms\n" + r.out + "--\n" + r.err);
}
await m.gone(); await s.gone(); await p.gone();
