import { machine, stage } from "./support/firstContact.ts";
import { writeFileSync, mkdtempSync } from "node:fs";
import { spawnSync } from "node:child_process";
const s = await stage();
const ms = [];
for (let i=0;i<20;i++) { const m = await machine({ name: i? `dea-${i}`:"lead-0", roles: i? ["dea"]:["core","controller"], controller: s.port, authorized: [s.key.publicLine] }); m.write("etc/shadow","stackato:$6$x$y:1::::::\n"); ms.push(m); }
const w = mkdtempSync("/tmp/tt-");
writeFileSync(w+"/kh", ms.map(m=>m.known).join(""));
import { readFileSync } from "node:fs";
const cpu = () => { const [, u, n, sy] = readFileSync("/proc/stat","utf8").split("\n")[0].split(/\s+/).map(Number); return u+n+sy; };
for (const n of [1,1,20,20,1,20]) {
  const args = ["bin/tutti.mjs","bootstrap",...ms.slice(0,n).flatMap(m=>["--host",`root@127.0.0.1:${m.target.port}`]),"--identity",s.key.file,"--known-hosts",w+"/kh"];
  // The API lives in this process: it must not be blocked.
  const { spawn } = await import("node:child_process");
  const t=performance.now();
  const c = spawn("bash",["-c",`time "$@"`,"-",process.execPath,...args],{env:{...process.env,TUTTI_HOME:w+"/h"+Math.random(),STACKATO_PASSWORD:"correct horse battery",STACKATO_EMAIL:"a@b.c",SSH_AUTH_SOCK:""}});
  let e=""; c.stderr.on("data",d=>e+=d); let o="";c.stdout.on("data",d=>o+=d);
  await new Promise(r=>c.on("close",r));
  console.log(n, Math.round(performance.now()-t), e.trim().split("\n").slice(-3).join(" "), o.split("\n")[0]);
}
for (const m of ms) await m.gone(); await s.gone();
