import { startSshd, keyPair, offerOf } from "./support/sshd.ts";
import { connect } from "../bootstrap/ssh.ts";
import { mkdtempSync } from "node:fs";
const w = mkdtempSync("/tmp/tt-");
const k = keyPair(w, "me");
const s = await startSshd({ authorized: [k.publicLine] });
const stop = new AbortController().signal;
for (let i=0;i<5;i++){
const t0=performance.now();
const ss = await connect({host:"127.0.0.1",port:s.port,user:s.user,keys:[offerOf(k)],hostKeys:s.hostKeys,stop});
const t1=performance.now();
await ss.exec({command:"true"}); const t2=performance.now();
await ss.exec({command:"true"}); const t3=performance.now();
console.log((t1-t0).toFixed(0),(t2-t1).toFixed(0),(t3-t2).toFixed(0));
ss.close();
}
await s.stop();
