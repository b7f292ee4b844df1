import { randomUUID } from "node:crypto";
import type { Aws } from "./aws.ts";
import { type Checked, check } from "./check.ts";
import { type Difference, differ, project } from "./differ.ts";
import { type Change, type Kind, object, type Props } from "./kind.ts";
import { allMarks, type Marks, marked, markedFor, retag } from "./marks.ts";
import { isHanging, isPassing, patiently } from "./retry.ts";

export interface Has {
  readonly id: string;
  /** Both undefined at an import. */
  readonly state: Props | undefined;
  readonly inputs: Props | undefined;
}

export interface Step {
  readonly id: string;
  /** State before. */
  readonly olds: Props;
  /** Inputs before. */
  readonly had: Props;
  readonly inputs: Props;
}

const patience = { again: isPassing, attempts: 6 };
/** Something that others hang on: the API may need a while to see them gone. */
const longPatience = { again: (error: unknown) => isPassing(error) || isHanging(error), attempts: 12 };

/** What is alike in the life of all kinds. One per provider that the engine has configured. */
export class Life {
  readonly #aws: () => Aws;
  readonly #anew: (urn: string) => boolean;
  // What the engine's state has, as far as this run has shown it: all else that carries a mark was left behind.
  readonly #seen = new Map<string, Set<string>>();
  readonly #names = new Map<string, Set<string>>();
  readonly #adopted = new Set<string>();
  #marks: Promise<Marks> | undefined;

  /** `anew` tells of a urn whether the person wants another one of it. */
  constructor(aws: () => Aws, anew: (urn: string) => boolean) {
    this.#aws = aws;
    this.#anew = anew;
  }

  check(kind: Kind, urn: string, olds: Props | undefined, news: Props): Checked {
    return check(kind, { urn, olds, news, taken: this.#names.get(urn) ?? new Set(), anew: this.#anew(urn) });
  }

  diff(kind: Kind, { urn, id, inputs }: { urn: string; id: string; inputs: Props }, wants: Props): Difference {
    this.#know(kind, urn, id, inputs);
    return differ(kind, inputs, wants);
  }

  async create(kind: Kind, urn: string, inputs: Props): Promise<{ id: string; state: Props }> {
    const token = randomUUID();
    // What goes by its name alone and has another's mark is not taken for the one that it replaces.
    const another = this.#anew(urn) && !kind.tagged;
    const tags = marked(another ? `${urn} ${token}` : urn, object(inputs, "tags"));
    const id = await patiently(async (attempt) => {
      // An attempt that failed may have made something.
      if (attempt > 1) this.#marks = undefined;
      const left = await this.#leftBehind(kind, urn, inputs);
      return left ?? (await kind.create(this.#aws(), { inputs, tags, token }));
    }, patience);
    add(this.#seen, urn, id);
    const made = await this.#state(kind, id, {}, inputs);
    if (!made) throw new Error(`${id} was made and is gone already`);
    return { id, state: made };
  }

  async read(kind: Kind, urn: string, has: Has): Promise<{ id: string; state: Props; inputs: Props } | undefined> {
    const { id, state: before, inputs: said } = has;
    this.#know(kind, urn, id, said);
    const read = await patiently(() => kind.read(this.#aws(), id, { ...before, ...said }), patience);
    if (!read) return undefined;
    const state = { ...before, ...read, id };
    const spoken = said && Object.keys(said).length > 0 ? said : undefined;
    return { id, state, inputs: project(kind, spoken, state) };
  }

  async update(kind: Kind, urn: string, step: Step): Promise<Props> {
    const { id, olds, had, inputs } = step;
    this.#know(kind, urn, id, had);
    const { changed } = differ(kind, had, inputs);
    await patiently(async (attempt) => {
      // Nobody knows how far a failed attempt has come: then what is there now counts, not what the state remembers.
      const before = attempt === 1 ? olds : { ...olds, ...(await kind.read(this.#aws(), id, olds)) };
      await this.#change(kind, { id, before, inputs, changed: new Set(changed) });
    }, patience);
    return (await this.#state(kind, id, olds, inputs)) ?? inputs;
  }

  async remove(kind: Kind, urn: string, { id, state }: { id: string; state: Props }): Promise<void> {
    add(this.#seen, urn, id);
    // A replacement that took the very thing it should replace for a leftover: it stays, as it is the new one too.
    if (this.#adopted.has(id)) return;
    await patiently(() => kind.remove(this.#aws(), id, state), longPatience);
  }

  #know(kind: Kind, urn: string, id: string, inputs: Props | undefined): void {
    add(this.#seen, urn, id);
    if (kind.named && inputs?.[kind.named]) add(this.#names, urn, inputs[kind.named]);
  }

  async #state(kind: Kind, id: string, said: Props, inputs: Props): Promise<Props | undefined> {
    const read = await patiently(() => kind.read(this.#aws(), id, { ...said, ...inputs }), patience);
    const { __defaults, ...mine } = inputs;
    return read && { ...mine, ...read, id };
  }

  async #change(kind: Kind, change: Change): Promise<void> {
    const { id, before, inputs } = change;
    const changed = new Set(change.changed);
    const tags = kind.tagged && changed.delete("tags");
    if (tags) await retag(this.#aws(), id, object(before, "tags"), object(inputs, "tags"));
    if (changed.size > 0) await kind.update?.(this.#aws(), { id, inputs, before, changed });
  }

  /** What an interrupted run has made for this resource and the state does not know; resolves to its id. */
  async #leftBehind(kind: Kind, urn: string, inputs: Props): Promise<string | undefined> {
    if (!kind.tagged || this.#anew(urn)) return undefined;
    this.#marks ??= allMarks(this.#aws());
    for (const id of markedFor(await this.#marks, urn, kind)) {
      const there = this.#seen.get(urn)?.has(id) ? undefined : await kind.read(this.#aws(), id, {});
      if (there && (await this.#adopt(kind, id, there, inputs))) return id;
    }
    return undefined;
  }

  /** Makes what was left what is wanted. False when it can't be that: then it is gone. */
  async #adopt(kind: Kind, id: string, there: Props, inputs: Props): Promise<boolean> {
    const { changed, replaces } = differ(kind, project(kind, undefined, there), inputs);
    // What the API does not tell is no reason to throw it away.
    if (replaces.some((key) => there[key] !== undefined)) {
      await kind.remove(this.#aws(), id, there);
      return false;
    }
    await kind.finish?.(this.#aws(), id);
    const open = changed.filter((key) => !kind.settled?.includes(key));
    await this.#change(kind, { id, before: there, inputs, changed: new Set(open) });
    this.#adopted.add(id);
    return true;
  }
}

function add(where: Map<string, Set<string>>, urn: string, value: unknown): void {
  where.set(urn, new Set([...(where.get(urn) ?? []), String(value)]));
}
