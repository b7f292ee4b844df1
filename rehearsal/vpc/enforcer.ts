import { attempt, programPath, run } from "../room/programs.ts";
import { type Command, nft } from "./commands.ts";
import { firewall } from "./firewall.ts";
import { translation } from "./gateway.ts";
import { netnsPath, spaces } from "./layout.ts";
import type { Picture } from "./picture.ts";
import { wires } from "./wires.ts";

/** Runs commands one after the other. Throws ProgramFailed. */
export async function act(commands: readonly Command[]): Promise<void> {
  for (const command of commands) await run(...lineOf(command), { input: command.input });
}

/** The same, whatever comes of each. */
export async function tryAll(commands: readonly Command[]): Promise<void> {
  for (const command of commands) await attempt(...lineOf(command), { input: command.input });
}

/** nsenter looks on PATH only, and set-up has a place of its own. */
function lineOf({ space, program, args }: Command): [string, string[]] {
  if (!space) return [program, [...args]];
  return ["nsenter", [`--net=${netnsPath(space)}`, programPath(program) ?? program, ...args]];
}

/** Puts rules in force, each table only when its text has changed. */
export interface Enforcer {
  /** `cut`: ids of machines whose cables carry nothing. */
  enforce(picture: Picture, cut: ReadonlySet<string>): Promise<void>;
  /** The tables are gone. */
  forget(): void;
}

export function enforcer(): Enforcer {
  const inForce = new Map<string, string>();
  const replace = async (space: string, name: string, text: string) => {
    if (inForce.get(name) === text) return;
    await act([nft(space, text)]);
    inForce.set(name, text);
  };
  return {
    async enforce(picture, cut) {
      await replace(spaces.router, "wires", wires(picture.hosts, cut));
      await replace(spaces.router, "firewall", firewall(picture));
      await replace(spaces.gateway, "translation", translation(picture));
    },
    forget: () => inForce.clear(),
  };
}
