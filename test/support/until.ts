export interface UntilOptions {
  /** Completes the sentence "waited in vain until …". */
  what: string;
  /** Milliseconds. */
  timeout?: number;
}

/** Polls until the condition holds; fails with what was waited for. */
export async function until(condition: () => unknown, { what, timeout = 45_000 }: UntilOptions): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${timeout} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
