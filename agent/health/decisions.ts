/** One instance to be started. The higher the priority, the earlier. */
export interface Start {
  readonly op: "START";
  readonly droplet: string;
  readonly version: string;
  readonly index: number;
  readonly reason: string;
  readonly priority: number;
  /** It comes after a delay that its crashes have earned. */
  readonly flapping: boolean;
}

/** Instances of one app to be stopped. `version` is the wanted one, where there is one. */
export interface Stop {
  readonly op: "STOP";
  readonly droplet: string;
  readonly version: string | undefined;
  readonly instances: readonly string[];
  readonly reason: string;
}

export type Decision = Start | Stop;

/** Who goes first when there are more starts than a beat may have. */
export const priorities = {
  /** It still serves, and soon will not. */
  evacuation: 4,
  exited: 3,
  /** Each app gets its first instance before any gets its second. */
  first: 2,
  other: 1,
} as const;

/** Starts before stops, the urgent first, and among equals the app that has stood longest as it is. */
export function ordered(decisions: readonly Decision[], age: (droplet: string) => number): Decision[] {
  const rank = (one: Decision) => (one.op === "START" ? one.priority : 0);
  return [...decisions].sort((a, b) => rank(b) - rank(a) || age(a.droplet) - age(b.droplet));
}
