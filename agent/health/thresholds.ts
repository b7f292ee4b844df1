/** Everything the health manager waits for, in beats unless said otherwise. */
export interface Thresholds {
  /** An instance without a heartbeat for this long is lost, and so is a DEA. */
  lost: number;
  /** How long the bus must have been there without a gap before anything is decided. */
  settle: number;
  /** The desired state is read again this often, and believed this long. */
  refresh: number;
  desiredLost: number;
  /** Left alone after a change of what is desired: the controller is at work on it. */
  stable: number;
  /** Between two starts of one slot, unless its instance was reported as ended. */
  restartSpacing: number;
  /** Between two stops of one instance. */
  stopSpacing: number;
  /** Instances of an app that no desired state knows are stopped only after this. */
  unknownApp: number;
  /** Heartbeats in which both copies of a slot must have been seen before one is stopped (a count). */
  duplicateBeats: number;
  /** The first crashes of a slot (a count) are restarted at once. */
  freeCrashes: number;
  minDelay: number;
  maxDelay: number;
  /** Delays are spread by this share in both directions, so that what crashed together does not start together. */
  noise: number;
  /** An instance that was up for this long has shown that it can: its slot's crashes are forgotten. */
  crashWindow: number;
  /** More crashes than this (a count) and a slot is given up; undefined: never. */
  giveUp?: number;
  /** A known crash that no heartbeat lists any more is forgotten after this. */
  crashForgotten: number;
  /** START requests published in one beat, counted in instances. */
  startRate: number;
  /** Instances stopped in one round at most: this share of all known ones, but always `stopFloor` (a count). */
  stopShare: number;
  stopFloor: number;
  /** While fewer than this share of the DEAs heard lately is heard now, the fault is taken to be on our side … */
  deaQuorum: number;
  /** … but only for this long. */
  doubt: number;
}

/** The thresholds of the first health manager of Cloud Foundry, made faster by heartbeats each beat; delays as in hm9000. */
export const defaults: Thresholds = {
  lost: 3,
  settle: 3,
  refresh: 6,
  desiredLost: 12,
  stable: 10,
  restartSpacing: 20,
  stopSpacing: 10,
  unknownApp: 12,
  duplicateBeats: 3,
  // Users of hm9000 and Diego know it so: a crash or two is bad luck and must not cost a minute of absence.
  freeCrashes: 3,
  minDelay: 30,
  maxDelay: 960,
  noise: 0.1,
  crashWindow: 500,
  crashForgotten: 30,
  startRate: 50,
  stopShare: 0.1,
  stopFloor: 10,
  deaQuorum: 0.5,
  doubt: 12,
};

const beats = [
  "lost",
  "settle",
  "refresh",
  "desiredLost",
  "stable",
  "restartSpacing",
  "stopSpacing",
  "unknownApp",
  "minDelay",
  "maxDelay",
  "crashWindow",
  "crashForgotten",
  "doubt",
] as const;

/** The thresholds with all times in milliseconds, for beats of `beat` ms. */
export function inMilliseconds(thresholds: Thresholds, beat: number): Thresholds {
  const times = beats.map((name) => [name, thresholds[name] * beat] as const);
  return { ...thresholds, ...Object.fromEntries(times) };
}
