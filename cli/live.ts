import type { Io } from "./io.ts";
import { plain } from "./show.ts";

/** One line at the foot of a terminal that says how far it is; elsewhere there is none, only the lines that stay. */
export interface LiveLine {
  /** A line that stays, above the live one. */
  note(line: string): void;
  /** What the live line says: asked each second and after each line that stays. "" is no line. */
  show(text: () => string): void;
  /** Takes the live line away. Safe to call twice. */
  end(): void;
}

/** The line holds no process: who forgets to end it leaves half a line behind, and no more. */
export function liveLine(io: Io): LiveLine {
  let say = () => "";
  let clock: NodeJS.Timeout | undefined;
  let drawn = "";
  const write = (text: string) => {
    if (text === drawn) return;
    io.stderr.write(`\r\u001b[K${text}`);
    drawn = text;
  };
  // One column is left free: a terminal that wraps the line could not take it back.
  const draw = () => write(plain(say()).slice(0, Math.max(20, (io.stderr.columns ?? 80) - 1)));
  return {
    note(line) {
      if (drawn) write("");
      io.note(line);
      if (clock) draw();
    },
    show(text) {
      if (!io.live) return;
      say = text;
      clock ??= setInterval(draw, 1000).unref();
      draw();
    },
    end() {
      clearInterval(clock);
      clock = undefined;
      if (drawn) write("");
    },
  };
}
