// node cloudHand.mjs move INSTANCE ADDRESS | stop|start|reboot INSTANCE | spoil CLUSTER | mend CLUSTER: on the rehearsal's
// EC2 and S3 of the person whose TUTTI_HOME it is. `spoil` puts another file in place of the agent bundle that nodes
// fetch, as somebody would who may write to the bucket; `mend` puts back what was there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EC2Client, RebootInstancesCommand, StartInstancesCommand, StopInstancesCommand } from "@aws-sdk/client-ec2";
import {
  CopyObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";

const [verb, name, address] = process.argv.slice(2);
const { url } = JSON.parse(readFileSync(join(process.env.TUTTI_HOME, "offline/ground.json"), "utf8"));
const credentials = { accessKeyId: "rehearsal", secretAccessKey: "rehearsal" };
const region = "eu-central-1";
const ec2 = new EC2Client({ region, endpoint: url, credentials });
const s3 = new S3Client({ region, endpoint: url, credentials, forcePathStyle: true });
const InstanceIds = [name];

/** EC2 does not move a machine within its subnet; the rehearsal's API does, by a form that the SDK does not know. */
async function move() {
  const fields = { Action: "ModifyInstanceAttribute", Version: "2016-11-15", InstanceId: name };
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=rehearsal/20300101/${region}/ec2/aws4_request`,
  };
  const body = new URLSearchParams({ ...fields, Attribute: "privateIpAddress", Value: address });
  const answer = await fetch(url, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}

async function agentIn() {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.map(({ Name }) => Name).find((one) => one.startsWith(name));
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "agent/" }));
  return { Bucket, Key: Contents[0].Key };
}

const aside = "aside/bundle";
const hands = {
  move,
  stop: () => ec2.send(new StopInstancesCommand({ InstanceIds })),
  start: () => ec2.send(new StartInstancesCommand({ InstanceIds })),
  reboot: () => ec2.send(new RebootInstancesCommand({ InstanceIds })),
  async spoil() {
    const agent = await agentIn();
    const CopySource = `${agent.Bucket}/${encodeURIComponent(agent.Key)}`;
    await s3.send(new CopyObjectCommand({ Bucket: agent.Bucket, Key: aside, CopySource }));
    await s3.send(new PutObjectCommand({ ...agent, Body: "somebody else's agent" }));
  },
  async mend() {
    const agent = await agentIn();
    await s3.send(new CopyObjectCommand({ ...agent, CopySource: `${agent.Bucket}/${aside}` }));
  },
};
await hands[verb]();
