/** Turns at the full rate after the last change: who has just started an instance likely does more. */
const alert = 20;

/** Milliseconds until the next look, after so many looks that showed nothing new: the API is one slow process. */
export function pause(quiet: number, beat: number): number {
  return Math.round(beat * Math.min(5, Math.max(1, 1 + (quiet - alert) / 10)));
}
