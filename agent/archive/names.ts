import { BadArchive, shown } from "./bad.ts";

/** Bytes of one part of a path: what the file systems of Linux take. */
const partLength = 255;

/** Refuses every name that means something other than a path below the place of unpacking. */
export function checkName(name: string, limit: number): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > limit)
    throw new BadArchive("bad_name", `the name ${shown(name)} is ${bytes} bytes long, ${limit} are allowed`);
  const flaw = outside(name) ?? malformed(name);
  if (flaw) throw flaw;
}

function outside(name: string): BadArchive | undefined {
  const refuse = (why: string) => new BadArchive("outside", `the name ${shown(name)} ${why}`);
  if (name.startsWith("/")) return refuse("is an absolute path");
  if (/^[A-Za-z]:/.test(name)) return refuse("begins with a drive letter");
  if (name.split(/[/\\]/).includes("..")) return refuse('has a ".." in it and leads out of the app');
  return undefined;
}

function malformed(name: string): BadArchive | undefined {
  const refuse = (why: string) => new BadArchive("bad_name", `the name ${shown(name)} ${why}`);
  if (name === "") return new BadArchive("bad_name", "an entry has no name");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return refuse("has control characters in it");
  if (name.includes("\\")) return refuse("has a backslash in it, which is a separator on some systems only");
  const parts = name.replace(/\/$/, "").split("/");
  if (parts.some((part) => part === "" || part === ".")) return refuse('has an empty part or a "." in it');
  if (parts.some((part) => Buffer.byteLength(part) > partLength))
    return refuse(`has a part of over ${partLength} bytes`);
  return undefined;
}

/** Two names with the same key are one file to somebody: the same letters may be written in two ways in Unicode. */
export const nameKey = (name: string): string => name.normalize("NFC");
