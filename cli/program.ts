import { type Argument, Command as Commander, CommanderError, Option } from "commander";
import { makeCall } from "./call.ts";
import { type Command, groups, type OptionRow } from "./command.ts";
import { type About, complaint } from "./complaint.ts";
import type { Io } from "./io.ts";

interface Setting {
  rows: readonly Command[];
  io: Io;
  version: string;
}

/** Options that every command takes, anywhere on the line. `--json` is taken out before, by main. */
const everywhere: readonly OptionRow[] = [
  { flags: "-o, --org <name>", also: ["--group"], summary: "organization to work in (default: the targeted one)" },
  { flags: "-s, --space <name>", summary: "space to work in" },
];

/**
 * Runs a command line (without the program's name) and resolves to the exit code; wrong usage is thrown. The program
 * is built from the table: nothing but the table is loaded for the help.
 */
export async function runProgram(argv: readonly string[], { rows, io, version }: Setting): Promise<number> {
  const outcome = { code: 0 };
  const program = new Commander("tutti")
    .description("Clusters that their owners run themselves: nodes with roles, apps that are pushed, one bus.")
    .usage("[options] <command>")
    .option("--json", "answer in JSON: one object, or one a line where it streams")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this, or the help of a command")
    .helpCommand("help [command]", "show the help of a command, with an example")
    .commandsGroup("Help:")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 a plan with changes, 64 wrong usage");
  for (const option of everywhere) addOption(program, option);
  settle(program, io, { below: rows });
  for (const row of groups.flatMap((group) => rows.filter((each) => each.group === group))) {
    program.addCommand(build(row, { io, outcome }));
  }
  try {
    await program.parseAsync(argv.length ? argv : ["--help"], { from: "user" });
  } catch (error) {
    // Help and version end by a throw as well.
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return outcome.code;
}

function build(row: Command, around: { io: Io; outcome: { code: number } }): Commander {
  const { io, outcome } = around;
  const command = new Commander(row.name).summary(row.summary).description(sentence(row.summary));
  if (row.group) command.helpGroup(`${row.group}:`);
  if (row.arguments) command.arguments(row.arguments);
  command.aliases(row.aliases ?? []).helpOption("-h, --help", "show this");
  const options = row.options ?? [];
  for (const option of options) addOption(command, option);
  if (row.load) for (const option of everywhere) addOption(command, option, true);
  command.addHelpText("after", `\nExample:\n  tutti ${row.example}${row.notes ? `\n\n${row.notes}` : ""}`);
  const below = row.commands ?? [];
  settle(command, io, { below, example: row.example });
  if (below.length) command.helpCommand(false);
  for (const each of below) command.addCommand(build(each, around));
  const { load } = row;
  if (!load) return command;
  return command.action(async () => {
    const act = await load();
    const code = await act(makeCall(io, command.args, valuesOf(command, options)));
    outcome.code = typeof code === "number" ? code : 0;
  });
}

/** Errors are thrown instead of printed: main is the only one that prints them. */
function settle(command: Commander, io: Io, about: About): void {
  command
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : complaint(error, command, about);
    })
    .configureOutput({
      writeErr: () => {},
      writeOut: (text) => io.out(text.trimEnd()),
      getOutHasColors: () => false,
    })
    .configureHelp({
      helpWidth: 110,
      subcommandTerm: (each) => [each.name(), ...each.registeredArguments.map(argumentTerm)].join(" "),
    });
}

function addOption(command: Commander, row: OptionRow, hidden = false): void {
  command.addOption(optionOf(row).hideHelp(hidden));
  const value = / ?<.*>$/.exec(row.flags)?.[0] ?? "";
  for (const name of row.also ?? []) command.addOption(optionOf({ ...row, flags: name + value }).hideHelp());
}

function optionOf({ flags, summary, many, choices }: OptionRow): Option {
  const option = new Option(flags, summary);
  if (choices) option.choices(choices);
  return many ? option.argParser((value: string, before?: string[]) => [...(before ?? []), value]) : option;
}

/** What was given to the command or, before its name, to the program; other names of an option are folded into its own. */
function valuesOf(command: Commander, options: readonly OptionRow[]): Record<string, unknown> {
  const values: Record<string, unknown> = command.optsWithGlobals();
  for (const row of [...options, ...everywhere]) {
    const name = optionOf(row).attributeName();
    for (const other of row.also ?? []) {
      const value = values[new Option(other).attributeName()];
      if (value === undefined) continue;
      values[name] = Array.isArray(value) ? [...((values[name] as string[] | undefined) ?? []), ...value] : value;
    }
  }
  return values;
}

function argumentTerm(argument: Argument): string {
  const inner = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${inner}>` : `[${inner}]`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
