import { Command as Commander, CommanderError, Option } from "commander";
import { makeCall } from "./call.ts";
import { type Command, groups, type OptionRow } from "./command.ts";
import { Fault, wrongUsage } from "./fault.ts";
import type { Io } from "./io.ts";

export interface Program {
  /** Runs the command line (without the program's name) and resolves to the exit code. */
  run(argv: readonly string[]): Promise<number>;
}

/** Options that every command takes, anywhere on the line. `--json` is taken out before, by main. */
const everywhere: readonly OptionRow[] = [
  { flags: "-o, --org <name>", summary: "organization to work in (default: the targeted one)" },
  { flags: "-s, --space <name>", summary: "space to work in" },
  { flags: "--group <name>", summary: "stackato's word for --org" },
];

/** Builds commander's program from the table. Nothing but the table is loaded for it. */
export function makeProgram(rows: readonly Command[], io: Io): Program {
  const outcome = { code: 0 };
  const program = new Commander("tutti")
    .description("Clusters that their owners run themselves: nodes with roles, apps that are pushed, one bus")
    .usage("[options] <command>")
    .option("--json", "answer in JSON: one object, or one a line where it streams")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this, or the help of a command")
    .helpCommand("help [command]", "show the help of a command");
  for (const { flags, summary } of everywhere) program.option(flags, summary);
  program.commandsGroup("Help");
  settle(program, io);
  const ordered = groups.flatMap((group) => rows.filter((row) => row.group === group));
  for (const row of ordered) program.addCommand(build(row, { io, outcome, path: "tutti" }));
  program.addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 a plan with changes, 64 wrong usage");
  return {
    async run(argv) {
      try {
        await program.parseAsync(argv, { from: "user" });
        return outcome.code;
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        if (error.exitCode === 0) return 0;
        throw translated(error, program.helpInformation());
      }
    },
  };
}

interface Around {
  io: Io;
  outcome: { code: number };
  /** Words in front of the command's own name. */
  path: string;
}

function build(row: Command, around: Around): Commander {
  const { io, outcome, path } = around;
  const command = new Commander(row.name).summary(row.summary).description(sentence(row.summary));
  if (row.group) command.helpGroup(`${row.group}:`);
  if (row.arguments) command.arguments(row.arguments);
  command.aliases(row.aliases ?? []);
  for (const option of row.options ?? []) command.addOption(optionOf(option));
  for (const option of everywhere) if (!clashes(row, option)) command.addOption(optionOf(option).hideHelp());
  command.addHelpText("after", `\nExample:\n  tutti ${row.example}${row.notes ? `\n\n${row.notes}` : ""}`);
  settle(command, io);
  for (const below of row.commands ?? []) command.addCommand(build(below, { ...around, path: `${path} ${row.name}` }));
  const { load } = row;
  if (load) {
    command.action(async (...given: unknown[]) => {
      const act = await load();
      const call = makeCall(io, command.args, optionsOf(command));
      outcome.code = (await act(call)) ?? 0;
    });
  } else {
    command.action(() => {
      const words = (row.commands ?? []).map((below) => below.name);
      throw wrongUsage(`"${path.replace(/^tutti ?/, "")}${row.name}" needs one more word: ${words.join(", ")}`, `tutti ${row.example}`);
    });
  }
  return command;
}

/** Errors are thrown instead of printed, so that main is the only one that prints them. */
function settle(command: Commander, io: Io): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeErr: () => {},
      writeOut: (text) => io.out(text.trimEnd()),
      getOutHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: false, helpWidth: 110, sortSubcommands: false });
}

/** What was given to the command itself or, before its name, to the program or a command above it. */
function optionsOf(command: Commander): Record<string, unknown> {
  return command.optsWithGlobals<Record<string, unknown>>();
}

/** `-m, --memory, --mem <size>`: commander knows two names for an option, so the third is one of its own. */
function optionOf({ flags, summary, many, choices }: OptionRow): Option {
  const option = new Option(flags, summary);
  if (choices) option.choices(choices);
  if (many) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return option;
}
