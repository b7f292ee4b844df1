import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { exits } from "./fault.ts";
import { type Io, painter, processIo, wantsColour } from "./io.ts";
import { runProgram } from "./program.ts";
import { respelled } from "./spellings.ts";

/** The whole command: reads the line, runs it, prints what went wrong, sets the exit code. Never rejects. */
export async function run(line: readonly string[]): Promise<void> {
  quietPipes();
  const { json, argv } = takeJson(line);
  const io = processIo(json);
  process.exitCode = await main(argv, io).catch((error: unknown) => tell(error, io));
}

async function main(argv: readonly string[], io: Io): Promise<number> {
  const old = respelled(argv);
  if (old?.hint) io.note(`hint: ${old.hint}`);
  const words = old?.argv ?? argv;
  return runProgram(words, { rows: await wanted(words), io, version: version() });
}

/** The table, with the full row of what the line names. */
function wanted(argv: readonly string[]): Promise<Command[]> {
  return Promise.all(commands.map(async (row) => (row.more && argv.includes(row.name) ? row.more() : row)));
}

/** `--json` may stand anywhere before a `--`. */
function takeJson(line: readonly string[]): { json: boolean; argv: string[] } {
  const end = line.indexOf("--");
  const before = end < 0 ? line : line.slice(0, end);
  return {
    json: before.includes("--json"),
    argv: [...before.filter((word) => word !== "--json"), ...line.slice(before.length)],
  };
}

/** The cause, and one line of advice; with JSON wanted, an object that ends the output. */
function tell(error: unknown, io: Io): number {
  const { message, code, hint, exit, details } = facts(error);
  const paint = painter(wantsColour(io.stderr, io.env));
  if (io.json) io.out(JSON.stringify({ ok: false, ...details, error: { code, message, hint } }));
  io.note(`${paint("red", "error:")} ${message}`);
  if (hint) io.note(`${paint("cyan", "hint:")} ${hint}`);
  if (io.env["TUTTI_DEBUG"] && error instanceof Error) io.note(error.stack ?? "");
  return exit;
}

function facts(error: unknown) {
  const { message, code, hint, exit, details } = (typeof error === "object" && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  return {
    // What we have written ourselves is shown whole; of a stranger's error one line will do.
    message: (typeof hint === "string" ? String(message) : (String(message || error).split("\n")[0] ?? "")).trimEnd(),
    code: typeof code === "string" ? code : "internal",
    hint:
      typeof hint === "string" ? hint : code ? undefined : "this is a fault of tutti itself: TUTTI_DEBUG=1 shows where",
    exit: typeof exit === "number" ? exit : exits.failed,
    details: typeof details === "object" ? details : undefined,
  };
}

/** A reader that has seen enough (`tutti logs app | head`) is no error. */
function quietPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? exits.done : exits.failed);
    });
  }
}

function version(): string {
  const own: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return own.version;
}
