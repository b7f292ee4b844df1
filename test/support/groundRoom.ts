import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-ec2";
import * as iamSdk from "@aws-sdk/client-iam";
import { start } from "../../agent/run/runner.ts";
import { ec2Api } from "../../rehearsal/ec2Api.ts";
import type { GroundEvent } from "../../rehearsal/ground/event.ts";
import { rehearsedGround } from "../../rehearsal/ground.ts";
import type { Ended } from "../../rehearsal/machines/machine.ts";
import { attempt } from "../../rehearsal/room/programs.ts";
import { type FakeMachine, fakeMachine } from "./fakeMachine.ts";
import { recordingLog } from "./recordingLog.ts";
import { until } from "./until.ts";

// A process in a closed room with the API of EC2 and a ground of real or fake machines (TUTTI_TEST_IMAGE: real).

const folder = join(process.cwd(), "machines");
const log = recordingLog();
const events: GroundEvent[] = [];
const fakes = new Map<string, FakeMachine>();
const region = "eu-central-1";
const image = process.env["TUTTI_TEST_IMAGE"];
const ways = JSON.parse(process.env["TUTTI_TEST_WAYS"] ?? "{}") as Record<string, object>;
const api = ec2Api({ log, console: folder });
const serving = start(api.runner);
await serving.ready;
const ground = rehearsedGround({
  ...{ url: api.url, folder, image: image ?? "", log, region, names: { "*.trio.example": "54.214.1.1" } },
  ...(!image && {
    machine: (plan) => {
      // One machine for all boots, so that a test finds it again.
      const made = fakes.get(plan.id) ?? fakeMachine(plan, ways[String(fakes.size)]);
      fakes.set(plan.id, made);
      return made;
    },
  }),
});
ground.onEvent((event) => void events.push(event));
const standing = start(ground.runner);
await standing.ready;

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const ec2 = new sdk.EC2Client({ region, endpoint: api.url, credentials });
const iam = new iamSdk.IAMClient({ region, endpoint: api.url, credentials });
type Commands = Record<string, new (input: object) => never>;
const command = (of: object, name: string, input: object) => {
  const Command = (of as Commands)[`${name}Command`];
  if (!Command) throw new Error(`there is no ${name}`);
  return new Command(input);
};

const calls: Record<string, (...args: never[]) => unknown> = {
  ec2: (name: string, input: object) => ec2.send(command(sdk, name, input)),
  iam: (name: string, input: object) => iam.send(command(iamSdk, name, input)),
  importKey: (KeyName: string, base64: string) =>
    ec2.send(new sdk.ImportKeyPairCommand({ KeyName, PublicKeyMaterial: Buffer.from(base64, "base64") })),
  inject: (rule: Parameters<typeof api.faults.inject>[0]) => api.faults.inject(rule),
  /** The form of a call that the SDK has no command for. */
  form: async (fields: Record<string, string>) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/ec2/aws4_request, SignedHeaders=host, Signature=0`;
    const body = new URLSearchParams({ Version: "2016-11-15", ...fields });
    return (await fetch(api.url, { method: "POST", body, headers: { authorization } })).status;
  },
  events: () => events,
  calls: () => ground.calls,
  log: () => log.lines,
  /** Resolves when the nth event of the kind has come for the machine → milliseconds since 1970. */
  event: async (id: string, kind: string, nth: number) => {
    const found = () => events.filter((one) => one.id === id && one.kind === kind)[nth - 1];
    await until(found, { what: `${id} was ${kind} for time ${nth}`, timeout: 180_000 });
    return found()?.at;
  },
  machines: () => ground.machines().map(({ machine, ...rest }) => ({ ...rest, boots: fakes.get(rest.id)?.boots })),
  plan: (id: string) => fakes.get(id)?.plan,
  happens: (id: string, how: Ended) => fakes.get(id)?.happens(how),
  prints: (id: string, text: string) => fakes.get(id)?.prints(text),
  run: (id: string, command: string[]) =>
    ground
      .machines()
      .find((one) => one.id === id)
      ?.machine.run(command),
  cut: (id: string) => ground.cut(id),
  heal: (id: string) => ground.heal(id),
  there: (path: string) => existsSync(path),
  read: (path: string) => readFileSync(path, "utf8"),
  folder: () => folder,
  // bash takes a socket as its input for a login from afar, and would read the person's settings.
  sh: (space: string, script: string) =>
    space
      ? attempt("nsenter", [`--net=/run/netns/${space}`, "bash", "--norc", "-c", script])
      : attempt("bash", ["--norc", "-c", script]),
  async end() {
    await standing.stop();
    await serving.stop();
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, call, args } = JSON.parse(line) as { id: number; call: string; args: never[] };
  const outcome = await Promise.try(() => calls[call]?.(...args)).then(
    (result) => ({ result }),
    (error: Error) => ({ error: `${error.name}: ${error.message}\n${error.stack}` }),
  );
  process.stdout.write(`${JSON.stringify({ id, ...outcome })}\n`);
  if (call === "end") process.exit(0);
});
