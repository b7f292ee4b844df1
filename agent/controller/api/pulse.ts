/** Milliseconds: a sixth of the time after which work without a sign of life counts as left behind. */
const interval = 20_000;

/** Shows again and again that work goes on, by writing its record anew, until the returned function is called. */
export function pulse(write: () => Promise<unknown>): () => void {
  // A beat that is lost does no harm, the next one comes.
  const timer = setInterval(() => void write().catch(() => {}), interval);
  timer.unref();
  return () => clearInterval(timer);
}
