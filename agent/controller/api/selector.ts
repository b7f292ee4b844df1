import { badQuery } from "./errors.ts";

export type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const forms: readonly [RegExp, (key: string, values: string[]) => Requirement][] = [
  [
    /^([\w./-]+) +in +\(([^)]*)\)$/,
    (key, values) => (labels) => has(labels, key) && values.includes(labels[key] ?? ""),
  ],
  [
    /^([\w./-]+) +notin +\(([^)]*)\)$/,
    (key, values) => (labels) => !has(labels, key) || !values.includes(labels[key] ?? ""),
  ],
  [
    /^([\w./-]+)!=([\w.-]*)$/,
    (key, [value]) =>
      (labels) =>
        labels[key] !== value,
  ],
  [
    /^([\w./-]+)==?([\w.-]*)$/,
    (key, [value]) =>
      (labels) =>
        labels[key] === value,
  ],
  [/^!([\w./-]+)$/, (key) => (labels) => !has(labels, key)],
  [/^([\w./-]+)$/, (key) => (labels) => has(labels, key)],
];

const has = (labels: Labels, key: string) => Object.hasOwn(labels, key);

/** `env in (prod,test),tier!=web,!old`: all of it must hold. */
export function labelSelector(text: string): Requirement {
  const requirements = text.split(/,(?![^(]*\))/).map((one) => requirement(one.trim()));
  return (labels) => requirements.every((holds) => holds(labels));
}

function requirement(text: string): Requirement {
  for (const [form, make] of forms) {
    const [whole, key = "", values = ""] = form.exec(text) ?? [];
    if (whole !== undefined)
      return make(
        key,
        values.split(",").map((value) => value.trim()),
      );
  }
  throw badQuery("Invalid label_selector value");
}
