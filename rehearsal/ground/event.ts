/** What becomes of a machine. */
export type Happening =
  /** The API has it. */
  | "seen"
  /** It gets its power. */
  | "booting"
  /** Its first process runs. */
  | "running"
  /** cloud-init has printed that it is done, whatever came of it. */
  | "finished"
  | "rebooting"
  | "stopping"
  | "stopped"
  /** It has switched itself off; the API is told. */
  | "off by itself"
  /** Its power was cut; it boots again in a moment. */
  | "crashed"
  /** It could not be made so; `detail` says why. */
  | "failed"
  /** Nothing is left of it. */
  | "gone";

export interface GroundEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `i-…` */
  readonly id: string;
  readonly kind: Happening;
  readonly detail?: string;
}
