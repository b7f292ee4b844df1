import { renderUserData, userDataText, renderBakeScript } from "./render.ts";
const birth = { node: { id:"router-0", cluster:"trio", domain:"x.example", roles:["core","controller","router","health","stager","dea"], index:0, zone:"eu-central-1a", beat:1000, crashLifetime:3600, ports:{router:80,controller:9022,nats:4222,files:12345,instances:{first:61001,last:65000}}}, cores:["10.20.0.4"], bundle:{version:"0.1.0", sha256:"a".repeat(64), sources:["s3://b/agent/x.tar.gz","https://m.example/x.tar.gz"]}, region:"eu-central-1", ca:"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n", claim:{id:"router-0.abc",secret:"s3cr3t-claim-value",expires:"2027-01-01T00:00:00Z"}, baked:false } as never;
const text = userDataText(birth);
console.error(text.length, renderUserData(birth).length);
console.log(process.argv[2] === "bake" ? renderBakeScript(["router"]) : text);
const t=performance.now(); for (let i=0;i<200;i++) renderUserData(birth); console.error((performance.now()-t)/200, "ms each");
