import { type Output, output, runtime } from "@pulumi/pulumi";
import * as settings from "@pulumi/pulumi/runtime/settings.js";

// Runs a Pulumi program without an engine and tells everything that it would have registered, in one list.

/** One registration, as the engine would get it. */
export interface Registration {
  readonly urn: string;
  /** What the engine makes the identity of: the types from the outermost component inwards, and the name. */
  readonly identity: string;
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the inputs of any resource there is
  readonly inputs: any;
  readonly parent: string;
  readonly ignoreChanges: readonly string[];
  readonly secretOutputs: readonly string[];
  readonly dependsOn: readonly string[];
  readonly importId: string;
  /** True when a replacement deletes the old one before it makes the new one. */
  readonly oldFirst: boolean;
  /** Names of inputs that go to the engine marked as secret. */
  readonly secretInputs: readonly string[];
}

export interface Declared {
  readonly all: readonly Registration[];
  /** What the program exports. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the program returns
  readonly outputs: any;
  ofType(type: string): Registration[];
}

export interface DeclareOptions {
  readonly project?: string;
  readonly stack?: string;
  /** What a resource knows once it is there, beside its inputs. */
  readonly facts?: (type: string, name: string, number: number) => Record<string, unknown>;
  /** Answers to lookups. */
  readonly call?: (token: string) => Record<string, unknown>;
  readonly config?: Record<string, string>;
  /** False: only run the program, for measuring it. */
  readonly collect?: boolean;
}

/** Mark of a secret on the wire between a program and the engine. */
const secretMark = "4dabf18193072939515e22adb298388d";

/** Runs `program` and waits for every registration, also of those that wait for outputs of others. */
export async function declare(program: () => unknown, options: DeclareOptions = {}): Promise<Declared> {
  const { project = "tutti", stack = "dev", facts = awsFacts, call = awsAnswers } = options;
  const all: Registration[] = [];
  let number = 0;
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...inputs, ...facts(type, name, number++) },
      }),
      call: ({ token }) => call(token),
    },
    project,
    stack,
    false,
  );
  for (const [key, value] of Object.entries(options.config ?? {})) runtime.setConfig(key, value);
  if (options.collect !== false) collect(all);
  const outputs = await runtime.runInPulumiStack(async () => plain(await program())).catch(short);
  // What is still on its way would reach the next program's runtime.
  await (settings as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return { all, outputs, ofType: (type) => all.filter((one) => one.type === type) };
}

// biome-ignore lint/suspicious/noExplicitAny: the runtime's monitor has no type of its own
function collect(all: Registration[], monitor: any = settings.getMonitor()): void {
  const register = monitor.registerResource.bind(monitor);
  // biome-ignore lint/suspicious/noExplicitAny: a message of the engine's protocol
  monitor.registerResource = (request: any, callback: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: its answer
    register(request, (error: unknown, response: any) => {
      if (response) all.push({ ...read(request, response.getUrn()), identity: identityOf(request, all) });
      callback(error, response);
    });
}

// biome-ignore lint/suspicious/noExplicitAny: a message of the engine's protocol
function identityOf(request: any, all: readonly Registration[]): string {
  const parent = all.find(({ urn }) => urn === request.getParent());
  const above = parent && parent.type !== "pulumi:pulumi:Stack" ? `${parent.identity.split("::")[0]}$` : "";
  return `${above}${request.getType()}::${request.getName()}`;
}

// biome-ignore lint/suspicious/noExplicitAny: a message of the engine's protocol
function read(request: any, urn: string): Omit<Registration, "identity"> {
  const wire: Record<string, unknown> = request.getObject()?.toJavaScript() ?? {};
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    inputs: unwrap(wire),
    parent: request.getParent(),
    ignoreChanges: request.getIgnorechangesList(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    dependsOn: request.getDependenciesList(),
    importId: request.getImportid(),
    oldFirst: request.getDeletebeforereplace(),
    secretInputs: Object.keys(wire).filter((key) => isSecret(wire[key])),
  };
}

function isSecret(value: unknown): value is { value: unknown } {
  return typeof value === "object" && value !== null && secretMark in value && "value" in value;
}

function unwrap(value: unknown): unknown {
  if (isSecret(value)) return unwrap(value.value);
  if (Array.isArray(value)) return value.map(unwrap);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

/** An error of the runtime holds every resource there is: too much for a test's report. */
function short(error: unknown): never {
  throw new Error(error instanceof Error ? error.message : String(error));
}

/** Outputs resolved, so that a test compares values. */
async function plain(value: unknown): Promise<unknown> {
  return new Promise((resolve) => void (output(value) as Output<unknown>).apply(resolve));
}

/** What EC2 would add to a resource, as far as the program looks at it. */
export function awsFacts(type: string, name: string, number: number): Record<string, unknown> {
  const address = `${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const facts: Record<string, Record<string, unknown>> = {
    "aws:ec2/instance:Instance": { privateIp: `10.${address}`, publicIp: `54.${address}` },
    "aws:ec2/eip:Eip": { publicIp: `203.${address}` },
    "aws:s3/bucket:Bucket": { bucket: `${name}-0abc`, arn: `arn:aws:s3:::${name}-0abc` },
    "aws:iam/role:Role": { name: `${name}-0abc` },
    "aws:iam/instanceProfile:InstanceProfile": { name: `${name}-0abc` },
    "aws:ec2/keyPair:KeyPair": { keyName: `${name}-0abc` },
    "pulumi-nodejs:dynamic/infra:Seed": {
      seed: Buffer.alloc(32, 7).toString("base64"),
      created: "2026-11-01T00:00:00.000Z",
    },
  };
  return facts[type] ?? {};
}

function awsAnswers(token: string): Record<string, unknown> {
  if (token === "aws:ec2/getAmi:getAmi") return { id: "ami-0123456789abcdef0" };
  throw new Error(`nobody answers ${token} here`);
}
