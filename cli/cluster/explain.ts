import type { Complaint } from "../../infra/run/events.ts";
import type { Ended } from "../../infra/run.ts";
import type { AwsSpec } from "../../roles/aws.ts";
import { architectureOf } from "../../roles/instanceTypes.ts";
import { Fault } from "../fault.ts";
import { shortName, wordFor } from "./names.ts";
import type { Whose } from "./progress.ts";

export interface About extends Whose {
  readonly aws: AwsSpec;
  /** The engine's working directory, for those who have to go there themselves. */
  readonly folder: string;
}

interface Rule {
  readonly when: RegExp;
  readonly code: string;
  readonly hint: string | ((about: About, text: string) => string);
}

/** Engines, plugins and EC2 say it in their own words; what to do about it they leave out. The first that fits counts. */
const rules: readonly Rule[] = [
  {
    when: /InsufficientInstanceCapacity/,
    code: "no_capacity",
    hint: (about, text) => elsewhere(about, text),
  },
  {
    when: /AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|ExpiredToken|validate the provided access credentials|no valid credential|failed to refresh cached credentials|NoCredentialProviders/i,
    code: "bad_credentials",
    hint: "check the credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (aws sts get-caller-identity tells whose they are)",
  },
  {
    when: /UnauthorizedOperation|AccessDenied/,
    code: "not_allowed",
    hint: "the credentials are good and may not do this: ask who manages the account",
  },
  {
    when: /InvalidAMIID|(?:ami|image).*(?:no results|does not exist)|no (?:matching )?(?:ami|image)s?\b|query returned no results/i,
    code: "no_image",
    hint: ({ aws }) =>
      `aws.image: ${aws.image} is not in ${aws.region}: name an image that this region has, or debian-12`,
  },
  {
    when: /VcpuLimitExceeded|AddressLimitExceeded|VpcLimitExceeded|InstanceLimitExceeded/,
    code: "quota",
    hint: ({ aws }) =>
      `the account's quota in ${aws.region} is used up: ask AWS for more (Service Quotas), or make the cluster smaller`,
  },
  {
    when: /RequestLimitExceeded|Throttling|SlowDown/,
    code: "throttled",
    hint: "EC2 has refused it several times in a row: wait a minute and run the same again, it goes on where it stopped",
  },
  {
    when: /PULUMI_ACCESS_TOKEN must be set|not logged in|pulumi login/i,
    code: "no_backend",
    hint: "say where the state is kept: pulumi login (or pulumi login --local, or s3://bucket); --offline needs none",
  },
  {
    when: /passphrase must be set|incorrect passphrase/,
    code: "no_passphrase",
    hint: "the state's secrets are encrypted: set PULUMI_CONFIG_PASSPHRASE_FILE to the file with its passphrase",
  },
  {
    when: /failed to load checkpoint: EOF/,
    code: "state_torn",
    hint: "an engine was killed while it wrote: remove the empty file <stack>.json.attrs beside the stack's state (and add ?metadata=skip to the file:// address, then it does not happen)",
  },
  {
    when: /no resource plugin|install resource plugin|could not (?:load|find) plugin|language-nodejs|failed to load .*plugin/i,
    code: "plugin_missing",
    hint: "pulumi plugin install resource aws (or, for --offline: node bin/setup.mjs)",
  },
  {
    when: /ECONNREFUSED|ENOTFOUND|no such host|i\/o timeout|EAI_AGAIN/,
    code: "unreachable",
    hint: ({ aws }) => `check the network, and that ${aws.region} is a region`,
  },
];

const again = "run the same again: what was made stays, and it goes on from there";

const hintLine = /^hint: (.*)$/m;

/** What the engine complains of, as one error that fits on a screen. */
export function explain({ complaints, locks }: Pick<Ended, "complaints" | "locks">, about: About): Fault {
  const [holder] = locks;
  if (holder)
    return new Fault(
      `somebody else works on stack ${about.stack}: pid ${holder.pid} on ${holder.host}, since ${holder.since}`,
      { code: "locked", hint: `wait for it; if it is gone for good: cd ${about.folder} && pulumi cancel` },
    );
  const whole = complaints.map(({ message }) => message).join("\n");
  const rule = rules.find(({ when }) => when.test(whole));
  const own = hintLine.exec(whole)?.[1];
  const hint = (typeof rule?.hint === "function" ? rule.hint(about, whole) : rule?.hint) ?? own;
  return new Fault(screen(complaints, about).join("\n  "), {
    code: rule?.code ?? "engine_failed",
    hint: hint ?? again,
  });
}

const most = 4;

/** Forty resources that fail for one reason are one line. */
function screen(complaints: readonly Complaint[], about: About): string[] {
  const lines = complaints.map((complaint) => sentence(complaint, about));
  // What was being done differs, what EC2 says to it is the same.
  const different = [...new Map(lines.map((line) => [line.what.split(": ").at(-1), line])).values()];
  const shown = different.slice(0, most).map(({ who, what }) => [who, what].filter(Boolean).join(": "));
  const rest = lines.length - shown.length;
  return rest > 0 ? [...shown, `(and ${rest} more of the kind)`] : shown;
}

function sentence({ name, type, message }: Complaint, { cluster, stack }: About): { who: string; what: string } {
  const who = name ? `${wordFor(type ?? "")} ${shortName(name, cluster, stack)}` : "";
  const lines = message.split("\n").filter((line) => line.trim() && !isTrace(line) && !hintLine.test(line));
  // `creating aws:ec2/instance:Instance: ` and the plugin's request ids say nothing that is not said already.
  const what = lines
    .map((line) => line.replace(/^(error|Error): |^(creating|updating|deleting|reading) \S+(?: \S+)?: /, "").trim())
    .join(" ")
    .replace(/^.*invocation of (\S+) returned an error: \1: /, "looking it up: ")
    .replace(/ promise: Promise \{.*$/, "")
    .replace(/https response error StatusCode: \d+, RequestID: [\w-]+, (api error )?/, "");
  return { who, what: what.length > 400 ? `${what.slice(0, 400)} …` : what };
}

function isTrace(line: string): boolean {
  return /^\s+at |unhandled (exception|error)|^\s*\^+\s*$|Node\.js v\d|^\s*\[?Symbol|promiseDebugString/.test(line);
}

/** The zone and the type to try: EC2 names other zones in its own sentence, and the rehearsal's plugin in its hint. */
function elsewhere({ aws }: About, text: string): string {
  const own = hintLine.exec(text)?.[1];
  if (own) return `${fitting(own, aws)}; in cluster.yaml that is zones and instanceType of the group`;
  const type = /sufficient (\S+) capacity/.exec(text)?.[1] ?? "this type";
  const zone = /you requested \(([^)]+)\)/.exec(text)?.[1] ?? "this zone";
  const said = /or choosing ([\w, -]+)/.exec(text)?.[1]?.trim();
  const others =
    said ??
    (aws.zones
      .map((letter) => aws.region + letter)
      .filter((name) => name !== zone)
      .join(", ") ||
      "another");
  return `${type} is not to be had in ${zone} now: try zone ${others} (zones of the group), or another instanceType`;
}

/** Types of the other architecture are no help: the image and the agent are for one. */
function fitting(hint: string, { architecture }: AwsSpec): string {
  return hint.replace(/ or ([a-z]+\d+[a-z]*\.\w+)| type ([a-z]+\d+[a-z]*\.\w+)(?: or)?/g, (said, next, first) =>
    architectureOf(next ?? first) === architecture ? said : first ? " type" : "",
  );
}
