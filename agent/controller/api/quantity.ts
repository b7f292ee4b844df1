const units: Record<string, number> = { B: 1 / 1024 ** 2, K: 1 / 1024, M: 1, G: 1024, T: 1024 ** 2 };

/** `512M`, `1GB`, `1.5g` in MiB; undefined when it is none. */
export function mebibytes(text: string | number): number | undefined {
  const [, number = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([BKMGT])B?\s*$/i.exec(String(text)) ?? [];
  const factor = units[unit.toUpperCase()];
  return factor === undefined ? undefined : Math.floor(Number(number) * factor);
}
