/** The beginning and the end of a text that may be long. */
export interface Excerpt {
  add(text: string): void;
  text(): string;
}

/** Keeps the first `head` and the last `tail` characters; what lies between is counted and left out. */
export function excerpt({ head, tail }: { head: number; tail: number }): Excerpt {
  let first = "";
  let last = "";
  let lost = 0;
  return {
    add(text) {
      const room = Math.max(0, head - first.length);
      first += text.slice(0, room);
      const all = last + text.slice(room);
      lost += Math.max(0, all.length - tail);
      last = all.slice(-tail);
    },
    text: () => (lost > 0 ? `${first}\n… ${lost} characters are left out here …\n${last}` : first + last),
  };
}
