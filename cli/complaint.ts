import type { Command as Commander, CommanderError } from "commander";
import type { Command } from "./command.ts";
import { type Fault, wrongUsage } from "./fault.ts";

/** What the table says of a command. */
export interface About {
  readonly below: readonly Command[];
  /** Without the program's name; absent for the program itself. */
  readonly example?: string;
}

/** Wrong usage in our words: what is wrong with the line, and what would be right. */
export function complaint(error: CommanderError, command: Commander, { below, example }: About): Fault {
  const path = fullName(command);
  const help = `see: ${path} --help`;
  if (error.code === "commander.help") {
    return wrongUsage(
      below.length && path !== "tutti"
        ? `"${path}" needs one more word: ${below.map((row) => row.name).join(", ")}`
        : "there is no such command",
      below[0] && path !== "tutti" ? `e.g. tutti ${below[0].example}` : "tutti --help lists all commands",
    );
  }
  const [first = "", ...more] = error.message.split("\n");
  const cause = first.replace(/^error: /, "");
  const meant = /\(Did you mean (?:one of )?(.+?)\?\)/.exec(more.join(" "))?.[1];
  if (error.code === "commander.unknownCommand") {
    const all =
      path === "tutti" ? "tutti --help lists all commands" : `it may be: ${below.map((row) => row.name).join(", ")}`;
    const begun = /unknown option '(--[\w-]+)'/.exec(cause)?.[1];
    const longer = begun && command.options.find(({ long }) => long?.startsWith(`${begun}-`))?.long;
    if (longer) return wrongUsage(cause, `did you mean ${longer}?`);
    return wrongUsage(cause, meant ? `did you mean ${path} ${meant}?` : all);
  }
  if (error.code === "commander.missingArgument" && example) return wrongUsage(cause, `e.g. tutti ${example}; ${help}`);
  const begun = /unknown option '(--[\w-]+)'/.exec(cause)?.[1];
  const longer = begun && command.options.find(({ long }) => long?.startsWith(`${begun}-`))?.long;
  if (longer) return wrongUsage(cause, `did you mean ${longer}?`);
  return wrongUsage(cause, meant ? `did you mean ${meant}?` : help);
}

function fullName(command: Commander): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}
