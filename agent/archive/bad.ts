/** What is wrong with an archive, as a word for programs. */
export type BadArchiveCode =
  | "not_a_zip"
  | "truncated"
  | "damaged"
  | "unsupported"
  | "encrypted"
  | "bad_name"
  | "outside"
  | "bad_link"
  | "special_file"
  | "duplicate"
  | "overlap"
  | "size_lies"
  | "too_many"
  | "too_big"
  | "bomb";

const makeAgain = "make the archive again, with zip or with tutti push, and send it once more";

const hints: Record<BadArchiveCode, string> = {
  not_a_zip: "send a zip file",
  truncated: "it was cut off on its way or while it was made: send it again",
  damaged: makeAgain,
  unsupported: "make the archive with plain zip (stored or deflated, one file)",
  encrypted: "make the archive without a password",
  bad_name: "rename the file and make the archive again",
  outside: "make the archive from inside the app's folder, so that every name is relative to it",
  bad_link: "replace the link by the file it points to, or let it point to something inside the app's folder",
  special_file: "leave devices, sockets, pipes and hard links out of the archive",
  duplicate: "make the archive again with each file once",
  overlap: makeAgain,
  size_lies: makeAgain,
  too_many: "leave out what is made again while staging (node_modules, .git …), e.g. by a .cfignore file",
  too_big: "leave out what the app does not need to run, e.g. by a .cfignore file",
  bomb: "leave out the files that are huge only when unpacked",
};

/** An archive that is refused. `message` is a sentence that names the entry, `hint` the next thing to do. */
export class BadArchive extends Error {
  override name = "BadArchive";
  readonly code: BadArchiveCode;
  readonly hint: string;
  constructor(code: BadArchiveCode, reason: string, cause?: unknown) {
    super(reason, { cause });
    this.code = code;
    this.hint = hints[code];
  }
}

/** A name as it may stand in a message: control characters escaped, never longer than a line. */
export function shown(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 60)}…${name.slice(-15)}` : name;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028-\u202e]/g, "?");
}
