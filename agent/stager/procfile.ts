/** The lines `type: command` of a Procfile; everything else in it is ignored, as elsewhere. */
export function parseProcfile(text: string | undefined): Record<string, string> {
  const types: Record<string, string> = {};
  for (const line of (text ?? "").split(/\r?\n/)) {
    const found = /^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*?)\s*$/.exec(line);
    if (found?.[1] && found[2]) types[found[1]] = found[2];
  }
  return types;
}
