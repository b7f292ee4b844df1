import { createHash, randomUUID } from "node:crypto";
import type { Kind, Props } from "./kind.ts";
import { hasUnknown } from "./values.ts";

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

export interface Checked {
  readonly inputs: Props;
  readonly failures: readonly Failure[];
}

export interface Asked {
  readonly urn: string;
  /** Inputs of the last run; undefined for what is new. */
  readonly olds: Props | undefined;
  readonly news: Props;
  /** Names that are taken by resources of this urn which are still there. */
  readonly taken: ReadonlySet<string>;
  /** True when another one is wanted beside the one that is there. */
  readonly anew: boolean;
}

/** Inputs that are complete and make sense, or what is wrong with them. */
export function check(kind: Kind, asked: Asked): Checked {
  const given = Object.fromEntries(
    Object.entries(asked.news).filter(([key, value]) => value !== null && key !== "region"),
  );
  const defaults = Object.entries(kind.fields).flatMap(([key, field]) =>
    field.default !== undefined && !(key in given) ? [[key, field.default] as const] : [],
  );
  const inputs = { ...Object.fromEntries(defaults), ...given, ...name(kind, asked) };
  return { inputs, failures: [...missing(kind, inputs), ...strange(kind, given), ...wrong(kind, inputs)] };
}

function missing({ fields }: Kind, inputs: Props): Failure[] {
  return Object.entries(fields).flatMap(([property, { required }]) =>
    required && inputs[property] === undefined ? [{ property, reason: "is needed and is not given" }] : [],
  );
}

function strange({ fields, token }: Kind, given: Props): Failure[] {
  const unheard = Object.keys(given).filter((key) => !(key in fields) && !key.startsWith("__"));
  return unheard.map((property) => ({
    property,
    reason: `is not rehearsed for ${token}; what is: ${Object.keys(fields).join(", ")}`,
  }));
}

function wrong({ fields }: Kind, inputs: Props): Failure[] {
  return Object.entries(fields).flatMap(([property, { oneOf }]) => {
    const value = inputs[property];
    if (!oneOf || value === undefined || hasUnknown(value) || oneOf.includes(value)) return [];
    return [{ property, reason: `is ${JSON.stringify(value)} and must be one of ${oneOf.join(", ")}` }];
  });
}

/**
 * A name where the program gives none. Its end follows from the urn and not from chance: a run that comes after an
 * interrupted one asks for the same name, and finds what is there.
 */
function name({ named, token }: Kind, { urn, olds, news, taken, anew }: Asked): Props {
  if (!named || news[named] !== undefined) return {};
  if (olds?.[named] !== undefined) return { [named]: olds[named], __defaults: [named] };
  const short = urn.split("::").at(-1) ?? "";
  for (let turn = 0; ; turn++) {
    const end = createHash("sha256")
      .update(`${urn} ${anew ? randomUUID() : turn}`)
      .digest("hex")
      .slice(0, 7);
    const full = `${short}-${end}`;
    const fit = token.includes("s3/")
      ? full
          .toLowerCase()
          .replace(/[^a-z0-9.-]/g, "-")
          .slice(-63)
      : full;
    if (!taken.has(fit)) return { [named]: fit, __defaults: [named] };
  }
}
