// Set-up runs on whatever Node a fresh machine has (>= 20), so it is plain JavaScript without dependencies.

/** What set-up cannot do by itself: printed without a stack trace, with the next thing to do. */
export class SetupError extends Error {
  constructor(message, hint, cause) {
    super(message, { cause });
    this.hint = hint;
  }
}

/**
 * Runs steps `{name, done, act}` in order: `done()` answers what is there already (a sentence) or undefined, `act()`
 * does the work and answers what it did. Prints one line a step with the time it took; `begin` is told the name of a
 * step that has work to do.
 */
export async function runSteps(steps, print, begin = () => {}) {
  for (const { name, done, act } of steps) {
    const began = performance.now();
    const there = await done();
    if (!there) begin(name);
    const what = there || (await act());
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    print(`${there ? "✓" : "+"} ${name.padEnd(14)} ${what} ${there ? "" : `(${seconds} s)`}`.trimEnd(), Boolean(there));
  }
}

/** True when dotted version `a` is at least `b`. */
export function atLeast(a, b) {
  const [x, y] = [a, b].map((version) => version.split(".").map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) > (y[i] ?? 0);
  }
  return true;
}
