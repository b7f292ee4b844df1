import { readdirSync, readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { type Birth, birth as birthSchema } from "../roles/birth.ts";
import type { RoleName } from "../roles/role.ts";
import { birthFiles, birthText, type View, viewOf } from "./files.ts";
import { type Frame, frameOf, gzipped, headOf, holes, seam } from "./frame.ts";
import { packagesFor } from "./packages.ts";
import { UserDataRefused, UserDataTooLarge } from "./refusals.ts";
import { refuseSecrets, secretsRefuser } from "./secrets.ts";

/** What EC2 takes, before base64. */
export const budget = 16_384;

export interface RenderOptions {
  /** Values that must not be in user data, such as the cluster's join secret. */
  readonly forbid?: readonly string[];
}

/**
 * What a machine is sent along: a cloud-config, gzipped; the same birth gives the same bytes.
 * Throws SecretInUserData, UserDataTooLarge, or UserDataRefused when a value is missing.
 */
export function renderUserData(birth: Birth, options?: RenderOptions): Uint8Array {
  return userDataRenderer(options)(birth);
}

/** The same for many births: what they have in common is written, looked through for secrets and compressed once. */
export function userDataRenderer({ forbid = [] }: RenderOptions = {}): (birth: Birth) => Uint8Array {
  const frames = new Map<string, Frame>();
  const refuse = secretsRefuser(forbid);
  return (birth) => {
    const checked = checkedBirth(birth);
    const { id, ...common } = viewOf(checked);
    const key = JSON.stringify(common);
    const frame = frames.get(key) ?? frameFor(common, refuse);
    frames.set(key, frame);
    const head = headOf(frame, { id, birth: birthText(checked).trimEnd() });
    refuse(head + seam(frame), checked.claim.secret);
    const bytes = gzipped(head, frame);
    if (bytes.length > budget) throw new UserDataTooLarge(bytes.length, budget, whatToDrop(birth));
    return bytes;
  };
}

function frameFor(common: Omit<View, "id">, refuse: ReturnType<typeof secretsRefuser>): Frame {
  const view: View = { ...common, id: holes.id };
  const files = birthFiles.map(({ path, mode, from }) => ({ path, mode, text: from ? fill(from, view) : holes.birth }));
  const text = fill("userdata.yaml.hbs", { ...view, files });
  refuse(text, "");
  return frameOf(text);
}

/** The same, for reading. */
export function userDataText(birth: Birth, { forbid = [] }: RenderOptions = {}): string {
  const checked = checkedBirth(birth);
  const text = fill("userdata.yaml.hbs", { ...viewOf(checked), files: machineFiles(checked) });
  refuseSecrets(text, { except: checked.claim.secret, forbid });
  return text;
}

/** A file of ours as it stands on a machine. */
export interface MachineFile {
  readonly path: string;
  /** Octal. */
  readonly mode: string;
  readonly text: string;
}

/** What user data writes, for a machine that gets it in another way. The first is the birth itself, which is secret. */
export function machineFiles(birth: Birth): MachineFile[] {
  const checked = checkedBirth(birth);
  const view = viewOf(checked);
  return birthFiles.map(({ path, mode, from }) => ({
    ...{ path, mode },
    text: from ? fill(from, view) : birthText(checked),
  }));
}

/** The script that makes an image with everything that nodes of these roles need. */
export function renderBakeScript(roles: readonly RoleName[]): string {
  return fill("baked.sh.hbs", { packages: packagesFor(roles) });
}

/** Fills in a template. Throws UserDataRefused when it asks for a value that is not there. */
export function fill(template: string, view: object): string {
  const text = templates[template];
  if (!text) throw new Error(`there is no template ${template}`);
  try {
    return text(view);
  } catch (cause) {
    const hint = "the template and what it is given have to be of one version";
    const { message } = cause as Error;
    throw new UserDataRefused(`${template} cannot be filled in: ${message}`, { code: "missing_value", hint, cause });
  }
}

const folder = new URL("./", import.meta.url);
const templates = load();

function load(): Readonly<Record<string, (view: object) => string>> {
  const bars = Handlebars.create();
  // A helper's arguments are not subject to strict mode: each helper has to refuse what is missing by itself.
  bars.registerHelper("sh", (value: unknown) => quoted(known(value)));
  bars.registerHelper("indent", (spaces: number, value: unknown) => indented(known(value), " ".repeat(spaces)));
  const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
  for (const name of readdirSync(new URL("boot/", folder))) {
    bars.registerPartial(name.replace(/\.sh\.hbs$/, ""), read(`boot/${name}`));
  }
  const options = { strict: true, noEscape: true, knownHelpersOnly: true, knownHelpers: { sh: true, indent: true } };
  const names = ["userdata.yaml.hbs", "baked.sh.hbs", ...birthFiles.flatMap(({ from }) => from ?? [])];
  return Object.fromEntries(
    names.map((name) => {
      const text = read(name);
      return [name, name.endsWith(".hbs") ? bars.compile(text, options) : () => text];
    }),
  );
}

function known(value: unknown): string {
  if (typeof value !== "string" && typeof value !== "boolean") throw new Error("a value is missing");
  return String(value);
}

/** One word of a shell, whatever is in it. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** The lines of a text as a YAML block wants them; empty ones stay empty. */
function indented(text: string, by: string): string {
  const lines = text.trimEnd().split("\n");
  return lines.map((line) => (line ? by + line : line)).join("\n");
}

function checkedBirth(birth: Birth): Birth {
  const result = birthSchema.safeParse(birth);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  const hint = "a birth is made from cluster.yaml: see roles/birth.ts";
  throw new UserDataRefused(`this is no birth: ${problems}`, { code: "bad_birth", hint });
}

/** The parts of a birth that can be long, the longest first. */
function whatToDrop({ ca, bundle, cores }: Birth): string {
  const parts = [
    {
      size: ca.length,
      advice: `the certificate authority (${ca.length}: one certificate with an elliptic key is 600)`,
    },
    { size: bundle.sources.join().length, advice: `sources of the bundle (${bundle.sources.length}: two will do)` },
    { size: cores.join().length, advice: `cores (${cores.length}: one name in DNS will do)` },
  ];
  const longest = parts.sort((one, other) => other.size - one.size).map(({ advice }) => advice);
  return `shorten ${longest.join(", then ")}`;
}
