/**
 * The end of an agent's log as a person reads it: one line an entry, what is only routine left out. Lines that are no
 * JSON (a stack trace, a program's own words) stand as they are.
 */
export function lastWords(log: string, count = 5): string[] {
  return log.trim().split("\n").flatMap(words).slice(-count);
}

/** Where in the code, and what Node adds below. */
const noise = /^\s*$|^\s+at |^Node\.js v|^\s*\^+\s*$|^\s*[{}]\s*$/;

function words(line: string): string[] {
  if (!line.startsWith("{")) return noise.test(line) ? [] : [line.trim()];
  try {
    const { level = 0, component, msg = "", error, reason } = JSON.parse(line) as Record<string, unknown>;
    if (Number(level) < 40) return [];
    const why = String(error ?? reason ?? "").split("\n")[0];
    return [`${component ? `${component}: ` : ""}${msg}${why ? ` (${why})` : ""}`];
  } catch {
    return [line];
  }
}
