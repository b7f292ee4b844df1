// node switchInstance.mjs stop|start|reboot INSTANCE: on the EC2 API of the person whose TUTTI_HOME it is.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EC2Client, RebootInstancesCommand, StartInstancesCommand, StopInstancesCommand } from "@aws-sdk/client-ec2";

const [verb, id] = process.argv.slice(2);
const { url } = JSON.parse(readFileSync(join(process.env.TUTTI_HOME, "offline/ground.json"), "utf8"));
const credentials = { accessKeyId: "rehearsal", secretAccessKey: "rehearsal" };
const ec2 = new EC2Client({ region: "eu-central-1", endpoint: url, credentials });
const Command = { stop: StopInstancesCommand, start: StartInstancesCommand, reboot: RebootInstancesCommand }[verb];
await ec2.send(new Command({ InstanceIds: [id] }));
