import { machine } from "./support/firstContact.ts";
import { keyPair, offerOf } from "./support/sshd.ts";
import { connect } from "../bootstrap/ssh.ts";
import { watch, settle } from "../bootstrap/commands.ts";
import { mkdtempSync, readFileSync } from "node:fs";
const w = mkdtempSync("/tmp/tt-"); const k = keyPair(w,"me");
const m = await machine({ roles:["dea"], authorized:[k.publicLine]});
const stop = new AbortController().signal;
const cpu = () => { const f = readFileSync(`/proc/${m.sshd.pid}/stat`,"utf8").split(") ")[1].split(" "); return {u:Number(f[13])*10, s:Number(f[14])*10}; };
const run = async (label: string, cmds: any[]) => { const a = cpu(); const c0 = process.cpuUsage();
 for (let i=0;i<20;i++) { const s = await connect({...m.target, keys:[offerOf(k)],hostKeys:m.sshd.hostKeys,stop}); for (const c of cmds) await s.exec(c); s.close(); await new Promise(r=>setTimeout(r,30)); }
 await new Promise(r=>setTimeout(r,300)); const b = cpu(); const c1=process.cpuUsage(c0); console.log(label, "server ms/conn", (b.u-a.u)/20, (b.s-a.s)/20, "client ms/conn", (c1.user+c1.system)/20000); };
await run("connect only", []);
await run("true", [{command:"true"}]);
await run("watch", [watch({within:1,once:true})]);
await run("watch+settle", [watch({within:1,once:true}), settle({home:"/tmp/xx", passwords:[{user:"a",password:"b"}]})]);
await m.gone();
