/** Where a command reads and speaks. Results go to stdout, progress and remarks to stderr. */
export interface Io {
  /** The person wants JSON: one object, or one a line for streams, and nothing else on stdout. */
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Standard error is a terminal: lines may be rewritten in place. */
  readonly live: boolean;
  /** A line of the result. */
  out(line: string): void;
  /** A line of progress; silent with --json only where the person could not read it anyway. */
  note(line: string): void;
  /** The result: the object with --json, else the text. */
  result(value: object, text: string): void;
  readonly paint: Paint;
}

export type Shade = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
export type Paint = (shade: Shade, text: string) => string;

const codes: Record<Shade, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Colour only where a person looks, and nobody said no (https://no-color.org). */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

export function painter(colour: boolean): Paint {
  return (shade, text) => (colour ? `\u001b[${codes[shade][0]}m${text}\u001b[${codes[shade][1]}m` : text);
}

/** The real one. */
export function processIo(json: boolean, { env, stdin, stdout, stderr }: NodeJS.Process = process): Io {
  const out = (line: string) => void stdout.write(`${line}\n`);
  return {
    json,
    env,
    stdin,
    stdout,
    stderr,
    live: stderr.isTTY === true && env["TERM"] !== "dumb",
    out,
    note: (line) => void stderr.write(`${line}\n`),
    result: (value, text) => (json ? out(JSON.stringify(value)) : text && out(text)),
    paint: painter(!json && wantsColour(stdout, env)),
  };
}
