/** Milliseconds → `0d:3h:12m:9s`. */
export function uptimeText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60),
  ];
  return `${days}d:${hours}h:${minutes % 60}m:${seconds % 60}s`;
}

/** Unix milliseconds → `2012-05-01 12:00:00 +0000`, the form that collectors have always read. */
export function startText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} +0000`;
}

/** The numbers of varz in the text format of Prometheus; nested keys are joined by `_`. */
export function metricsText(varz: Record<string, unknown>): string {
  const labels = `{component=${quoted(varz["type"])},index=${quoted(varz["index"] ?? 0)}}`;
  const { index: _label, ...rest } = varz;
  const lines = numbers(rest).map(([name, value]) => `# TYPE tutti_${name} gauge\ntutti_${name}${labels} ${value}\n`);
  return lines.join("");
}

function numbers(value: object, prefix = ""): [string, number][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, number][] => {
    const name = prefix + key.replace(/\W/g, "_");
    if (typeof inner === "number") return Number.isFinite(inner) ? [[name, inner]] : [];
    if (typeof inner === "boolean") return [[name, inner ? 1 : 0]];
    const nested = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    return nested ? numbers(inner, `${name}_`) : [];
  });
}

function quoted(value: unknown): string {
  return `"${String(value).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}
