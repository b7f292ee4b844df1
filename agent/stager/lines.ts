/** Longest line passed on; longer ones are broken up. */
const longest = 4096;

export interface Splitter {
  /** The lines that this chunk completes. */
  push(chunk: string): string[];
  /** What is left when the output ends. */
  end(): string[];
}

/** Cuts a stream of text into lines. Of a line that was overwritten by carriage returns the last state counts. */
export function splitter(): Splitter {
  let rest = "";
  const cut = (line: string): string[] => {
    const shown = line.replace(/\r+$/, "").replace(/^.*\r/s, "");
    return shown.length <= longest ? [shown] : (shown.match(new RegExp(`.{1,${longest}}`, "gsu")) ?? []);
  };
  return {
    push(chunk) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length <= longest) return lines.flatMap(cut);
      // A program that never ends its line must not fill the memory.
      const parts = cut(rest);
      rest = "";
      return [...lines.flatMap(cut), ...parts];
    },
    end() {
      const last = rest === "" ? [] : cut(rest);
      rest = "";
      return last;
    },
  };
}
