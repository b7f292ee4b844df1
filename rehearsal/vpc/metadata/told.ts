import type { Host } from "../picture.ts";
import type { Names } from "./dns.ts";

/** A line that the services read: all there is, each time. */
export interface Told {
  readonly hosts: readonly Host[];
  readonly names: Names;
}

/** A line that the services write. */
export type Said =
  | { readonly said: "ready" }
  /** `id` is undefined when nobody has the address. */
  | {
      readonly said: "asked";
      readonly id?: string;
      readonly address: string;
      readonly what: string;
      readonly status: number;
    }
  | { readonly said: "leased"; readonly id: string; readonly address: string };
