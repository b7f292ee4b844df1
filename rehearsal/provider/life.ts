import { randomUUID } from "node:crypto";
import type { Aws } from "./aws.ts";
import { type Checked, check } from "./check.ts";
import { type Difference, differ, project } from "./differ.ts";
import { type Kind, object, type Props } from "./kind.ts";
import { allMarks, type Marks, marked, markedFor, retag } from "./marks.ts";
import { isHanging, isPassing, patiently } from "./retry.ts";

/** What is alike in the life of all kinds. One per provider that the engine has configured. */
export interface Life {
  check(kind: Kind, urn: string, olds: Props | undefined, news: Props): Checked;
  diff(kind: Kind, has: { urn: string; id: string; inputs: Props }, wants: Props): Difference;
  create(kind: Kind, urn: string, inputs: Props): Promise<{ id: string; state: Props }>;
  read(kind: Kind, urn: string, has: Has): Promise<{ id: string; state: Props; inputs: Props } | undefined>;
  update(kind: Kind, urn: string, step: { id: string; olds: Props; had: Props; inputs: Props }): Promise<Props>;
  remove(kind: Kind, urn: string, has: { id: string; state: Props }): Promise<void>;
}

export interface Has {
  readonly id: string;
  /** Both undefined at an import. */
  readonly state: Props | undefined;
  readonly inputs: Props | undefined;
}

const patience = { again: isPassing, attempts: 6 };
/** Something that others hang on: the API may need a while to see them gone. */
const longPatience = { again: (error: unknown) => isPassing(error) || isHanging(error), attempts: 12 };

export function life(aws: () => Aws, anew: (urn: string) => boolean): Life {
  // What the engine's state has, as far as this run has shown it: all else that carries a mark was left behind.
  const seen = new Map<string, Set<string>>();
  const names = new Map<string, Set<string>>();
  const adopted = new Set<string>();
  let marks: Promise<Marks> | undefined;
  const add = (where: Map<string, Set<string>>, urn: string, value: unknown) => {
    where.set(urn, new Set([...(where.get(urn) ?? []), String(value)]));
  };
  const known = (kind: Kind, urn: string, id: string, inputs: Props | undefined) => {
    add(seen, urn, id);
    if (kind.named && inputs?.[kind.named]) add(names, urn, inputs[kind.named]);
  };
  const state = async (kind: Kind, id: string, said: Props, inputs: Props) => {
    const read = await patiently(() => kind.read(aws(), id, { ...said, ...inputs }), patience);
    const { __defaults, ...mine } = inputs;
    return read && { ...mine, ...read, id };
  };

  const change = async (
    kind: Kind,
    change: { id: string; before: Props; inputs: Props; changed: readonly string[] },
  ) => {
    const { id, before, inputs } = change;
    const changed = new Set(change.changed);
    if (kind.tagged && changed.delete("tags")) await retag(aws(), id, object(before, "tags"), object(inputs, "tags"));
    if (changed.size > 0) await kind.update?.(aws(), { id, inputs, before, changed });
  };

  /** What an interrupted run has made for this resource and the state does not know. */
  const leftBehind = async (kind: Kind, urn: string, inputs: Props): Promise<string | undefined> => {
    if (!kind.tagged || anew(urn)) return undefined;
    marks ??= allMarks(aws());
    for (const id of markedFor(await marks, urn, kind)) {
      if (seen.get(urn)?.has(id)) continue;
      const there = await kind.read(aws(), id, {});
      if (!there) continue;
      const differs = differ(kind, project(kind, undefined, there), inputs);
      // What the API does not tell is no reason to throw it away.
      if (differs.replaces.some((key) => there[key] !== undefined)) {
        await kind.remove(aws(), id, there);
        continue;
      }
      const changed = differs.changed.filter((key) => !kind.settled?.includes(key));
      await change(kind, { id, before: there, inputs, changed });
      adopted.add(id);
      return id;
    }
    return undefined;
  };

  return {
    check: (kind, urn, olds, news) =>
      check(kind, { urn, olds, news, taken: names.get(urn) ?? new Set(), anew: anew(urn) }),

    diff(kind, { urn, id, inputs }, wants) {
      known(kind, urn, id, inputs);
      return differ(kind, inputs, wants);
    },

    async create(kind, urn, inputs) {
      const token = randomUUID();
      // What goes by its name alone and has another's mark is not taken for the one that it replaces.
      const another = anew(urn) && !kind.tagged;
      const tags = marked(another ? `${urn} ${token}` : urn, object(inputs, "tags"));
      const id = await patiently(async (attempt) => {
        // An attempt that failed may have made something.
        if (attempt > 1) marks = undefined;
        const left = await leftBehind(kind, urn, inputs);
        return left ?? (await kind.create(aws(), { inputs, tags, token }));
      }, patience);
      add(seen, urn, id);
      const made = await state(kind, id, {}, inputs);
      if (!made) throw new Error(`${id} was made and is gone already`);
      return { id, state: made };
    },

    async read(kind, urn, { id, state: before, inputs: said }) {
      known(kind, urn, id, said);
      const read = await patiently(() => kind.read(aws(), id, { ...before, ...said }), patience);
      if (!read) return undefined;
      const fresh = { ...before, ...read, id };
      return {
        id,
        state: fresh,
        inputs: project(kind, said && Object.keys(said).length > 0 ? said : undefined, fresh),
      };
    },

    async update(kind, urn, { id, olds, had, inputs }) {
      known(kind, urn, id, had);
      const { changed } = differ(kind, had, inputs);
      await patiently(async (attempt) => {
        // Nobody knows how far a failed attempt has come: then what is there now counts, not what the state remembers.
        const before = attempt === 1 ? olds : { ...olds, ...(await kind.read(aws(), id, olds)) };
        await change(kind, { id, before, inputs, changed });
      }, patience);
      return (await state(kind, id, olds, inputs)) ?? inputs;
    },

    async remove(kind, urn, { id, state: before }) {
      add(seen, urn, id);
      // A replacement that took the very thing it should replace for a leftover: it stays, as it is the new one too.
      if (adopted.has(id)) return;
      await patiently(() => kind.remove(aws(), id, before), longPatience);
    },
  };
}
