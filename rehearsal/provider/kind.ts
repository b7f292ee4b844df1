import type { ResourceType } from "@aws-sdk/client-ec2";
import type { Aws } from "./aws.ts";

export type Props = Readonly<Record<string, unknown>>;

/** One input of a resource, as the real provider's schema has it. */
export interface Field {
  readonly required?: true;
  /** A change makes another resource. */
  readonly replaces?: true;
  /** Where the program leaves it out AWS chooses, and what it chose is no difference. */
  readonly chosen?: true;
  readonly oneOf?: readonly unknown[];
  /** A list whose order means nothing. */
  readonly set?: true;
  /** JSON as text: other blanks or another order of keys are no difference. */
  readonly json?: true;
  readonly default?: unknown;
}

export interface Wanted {
  readonly inputs: Props;
  /** Tags of the program with our mark, for calls that tag what they make. */
  readonly tags: readonly { Key: string; Value: string }[];
  /** Unique to this creation. */
  readonly token: string;
}

export interface Change {
  readonly id: string;
  readonly inputs: Props;
  /** State before, by the API's last word. */
  readonly before: Props;
  /** Inputs that differ. */
  readonly changed: ReadonlySet<string>;
}

/** A kind of resource: its inputs as data, its life as five calls. What is alike for all kinds is done around it. */
export interface Kind {
  /** `aws:ec2/vpc:Vpc`. */
  readonly token: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Field that gets the resource's name and an end of its own when the program names nothing. */
  readonly named?: string;
  /** EC2's word for it where it can be tagged: then tags, and finding what an interrupted run left, are done for it. */
  readonly tagged?: ResourceType;
  /** Inputs that are history once it exists: no reason to touch what an interrupted run has left. */
  readonly settled?: readonly string[];
  /** Two of it can't be there at once: a replacement deletes first. */
  readonly single?: true;
  /** Resolves to the id. What is there already by the same name and is ours is taken. */
  create(aws: Aws, wanted: Wanted): Promise<string>;
  /** What a creation that was cut off after its first call may have left undone. */
  finish?(aws: Aws, id: string): Promise<void>;
  /** What the API knows of it, in the provider's words; undefined when it is gone. `known`: state, or nothing (import). */
  read(aws: Aws, id: string, known: Props): Promise<Props | undefined>;
  /** In place, all but the tags of what is `tagged`. */
  update?(aws: Aws, change: Change): Promise<void>;
  /** What is gone already is no error. */
  remove(aws: Aws, id: string, state: Props): Promise<void>;
}

/** A function of the provider, `aws:ec2/getAmi:getAmi`. */
export interface Invoke {
  readonly token: string;
  call(aws: Aws, args: Props): Promise<Props>;
}

/** An input that is a text, when it is there. */
export function text(props: Props, key: string): string | undefined {
  const value = props[key];
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

export function number(props: Props, key: string): number | undefined {
  return props[key] === undefined || props[key] === null ? undefined : Number(props[key]);
}

export function list(props: Props, key: string): string[] {
  return Array.isArray(props[key]) ? props[key].map(String) : [];
}

/** An object among the inputs; empty when it is not there. */
export function object(props: Props, key: string): Props {
  const value = props[key];
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Props) : {};
}
