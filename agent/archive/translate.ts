import type { FileHandle } from "node:fs/promises";
import { BadArchive, type BadArchiveCode } from "./bad.ts";

const meanings: readonly (readonly [RegExp, BadArchiveCode, string])[] = [
  [/encryption/, "encrypted", "the archive is encrypted"],
  [/multi-disk/, "unsupported", "the archive is one part of several"],
  [/unexpected EOF|end of central directory record signature not found/i, "truncated", "the archive ends too early"],
];

/** What a failure of the library means. Errors of the system and our own pass as they are. */
export async function translate(error: unknown, file: FileHandle): Promise<unknown> {
  if (error instanceof BadArchive || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code && !code.startsWith("Z_")) return error;
  const [, meant, reason] = meanings.find(([text]) => text.test(error.message)) ?? [];
  if (!meant || !reason) return new BadArchive("damaged", `the archive is damaged: ${error.message}`, error);
  if (meant === "truncated" && !(await beginsAsZip(file)))
    return new BadArchive("not_a_zip", "this is not a zip file", error);
  return new BadArchive(meant, reason, error);
}

async function beginsAsZip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  return bytesRead === 4 && buffer.readUInt32LE(0) === 0x04034b50;
}
