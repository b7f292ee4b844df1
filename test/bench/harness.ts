/** What a benchmark has measured. `compare` says what it was measured against, in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value has to be; absent for a figure that is only told. */
  readonly goal?: { readonly atMost?: number; readonly atLeast?: number };
  readonly spread?: { readonly min: number; readonly max: number; readonly runs: number };
  readonly compare?: string;
}

/** A benchmark: makes its own ground, measures, and takes the ground away again. */
export interface Benchmark {
  readonly name: string;
  readonly what: string;
  run(tell: (line: string) => void): Promise<Figure[]>;
}

export function holds({ value, goal }: Figure): boolean | undefined {
  if (!goal) return undefined;
  return value <= (goal.atMost ?? Number.POSITIVE_INFINITY) && value >= (goal.atLeast ?? Number.NEGATIVE_INFINITY);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The smallest value that is at least as large as the share `p` of all. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN;
}

export interface Pair {
  a: number[];
  b: number[];
  /** a/b, pair by pair. */
  ratios: number[];
}

/** A B A B …: both sides in turn, so that a machine that slows down slows both. The first pair only warms up. */
export async function pairs(rounds: number, a: () => Promise<number>, b: () => Promise<number>): Promise<Pair> {
  const result: Pair = { a: [], b: [], ratios: [] };
  for (let round = 0; round <= rounds; round++) {
    const [x, y] = [await a(), await b()];
    if (round === 0) continue;
    result.a.push(x);
    result.b.push(y);
    result.ratios.push(x / y);
  }
  return result;
}

export function spreadOf(values: readonly number[]): { min: number; max: number; runs: number } {
  return { min: Math.min(...values), max: Math.max(...values), runs: values.length };
}

/** One figure as a line: name, value, goal and whether it holds, spread, and what it was compared with. */
export function line(figure: Figure): string {
  const { name, value, unit, goal, spread, compare } = figure;
  const wanted =
    goal?.atMost !== undefined ? `≤ ${goal.atMost}` : goal?.atLeast !== undefined ? `≥ ${goal.atLeast}` : "";
  const verdict = { true: "holds", false: "MISSED", undefined: "" }[String(holds(figure)) as "true"];
  const range = spread ? `[${round(spread.min)} … ${round(spread.max)}, ${spread.runs} runs]` : "";
  return [
    name.padEnd(44),
    `${round(value)} ${unit}`.padEnd(16),
    wanted.padEnd(10),
    verdict.padEnd(7),
    range,
    compare ? `vs ${compare}` : "",
  ]
    .join(" ")
    .trimEnd();
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
