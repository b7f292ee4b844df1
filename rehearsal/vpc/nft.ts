// The grammar of nft, as far as we write it.

/** `head { lines }`, each line a statement. */
export function block(head: string, lines: readonly string[]): string {
  return [`  ${head} {`, ...lines.map((line) => `    ${line}`), "  }"].join("\n");
}

/** The line that fills a set or a map; none when it is empty, as nft wants. */
export function elements(all: readonly string[]): string[] {
  return all.length > 0 ? [`elements = { ${all.join(", ")} }`] : [];
}

/** A table as it is to be, whatever there was before: in one transaction, so that there is no moment without it. */
export function table(family: "ip" | "bridge", name: string, blocks: readonly string[]): string {
  return [
    `table ${family} ${name}`,
    `delete table ${family} ${name}`,
    `table ${family} ${name} {`,
    ...blocks,
    "}",
    "",
  ].join("\n");
}
