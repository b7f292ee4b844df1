import { wrongUsage } from "./fault.ts";
import type { Io } from "./io.ts";
import { wholeNumber } from "./quantity.ts";

/** One use of a command: its words, checked as they are asked for. Wrong ones throw with exit code 64. */
export interface Call {
  readonly io: Io;
  readonly args: readonly string[];
  flag(name: string): boolean;
  /** `--no-NAME` was given. */
  off(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  whole(name: string, bounds?: { min?: number; max?: number }): number | undefined;
  /** A positional argument that commander has already required. */
  arg(position: number): string;
}

export function makeCall(io: Io, args: readonly string[], options: Record<string, unknown>): Call {
  const text = (name: string) => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    io,
    args,
    text,
    flag: (name) => options[name] === true,
    off: (name) => options[name] === false,
    list: (name) => (Array.isArray(options[name]) ? (options[name] as string[]) : []),
    whole(name, bounds) {
      const value = text(name);
      return value === undefined ? undefined : wholeNumber(value, `--${dashed(name)}`, bounds);
    },
    arg(position) {
      const value = args[position];
      if (value === undefined || value === "") throw wrongUsage("an argument is missing or empty", "see --help");
      return value;
    },
  };
}

/** `healthCheckType` → `health-check-type`, the name the person typed. */
function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
