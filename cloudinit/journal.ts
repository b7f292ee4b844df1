import { z } from "zod";

/** What the lines on the console begin with, wherever they stand between those of others. */
const marks = { step: "tutti-boot: ", result: "tutti-boot-result: " } as const;

const bootStep = z.object({
  /** Kernel's id of the boot: each start of the machine has its own. */
  boot: z.string(),
  name: z.string(),
  /** First digits of the SHA-256 of all that the step works on: the same input again means nothing new to do. */
  input: z.string(),
  exit: z.number().int(),
  ms: z.number(),
  /** Instant at which the step ended, ISO 8601. */
  at: z.string(),
  /** The last of what it printed. */
  lines: z.array(z.string()),
});
export type BootStep = z.output<typeof bootStep>;

const bootResult = z.object({
  boot: z.string(),
  state: z.enum(["running", "done", "failed"]),
  /** The step that failed; "entry": the script itself. */
  step: z.string(),
  exit: z.number().int(),
  at: z.string(),
});
export type BootResult = z.output<typeof bootResult>;

/** The steps in a journal file or in a machine's console output, in order. What is torn or no step is passed over. */
export function readJournal(text: string): BootStep[] {
  return read(text, marks.step, bootStep);
}

/** How the newest run ended, by `result.json` or the console output; undefined while it runs or when nothing is said. */
export function readResult(text: string): BootResult | undefined {
  return read(text, marks.result, bootResult).findLast(({ state }) => state !== "running");
}

function read<T extends { boot: string; at: string }>(text: string, mark: string, schema: z.ZodType<T>): T[] {
  const found = text.split(/\r\n|[\r\n]/).flatMap((line) => {
    const begin = line.indexOf(mark);
    const json = begin < 0 ? line : line.slice(begin + mark.length);
    const value = schema.safeParse(parse(json));
    return value.success ? [value.data] : [];
  });
  // A console may show a line twice: from the program and from the system's log.
  const keys = found.map((one) => JSON.stringify(one));
  return found.filter((_, i) => keys.indexOf(keys[i] ?? "") === i);
}

function parse(line: string): unknown {
  // The console has colours and, behind the line, sometimes what the kernel had to say.
  const end = line.lastIndexOf("}");
  try {
    return JSON.parse(line.slice(0, end + 1));
  } catch {
    return undefined;
  }
}
