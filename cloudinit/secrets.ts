import { SecretInUserData } from "./refusals.ts";

/** What must never stand in user data, by its looks. A value that begins with `$` is a variable of a script. */
const looks: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/],
  ["an age key", /AGE-SECRET-KEY-1/],
  ["the seed of a NATS key", /\bS[ACNOUX][A-Z2-7]{56}\b/],
  ["an AWS access key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["an AWS secret key", /secret_?access_?key["']?\s*[:=]\s*["']?[A-Za-z0-9/+=]{16,}/i],
  ["a signed address", /[?&](?:X-Amz-Signature|X-Amz-Credential|sig|signature)=/i],
  // Looks for the colon first: a search for the scheme would try every letter of a certificate as its beginning.
  ["a password in an address", /(?<=[a-z][a-z0-9+.-]*):\/\/[^\s/:@"']*:[^\s/@"'$]+@/i],
  ["a password", /\b(?:\w+_)?(?:password|passwd|passphrase|passwort)["']?\s*[:=]\s*["']?(?![$"'\s])\S/i],
  ["a token of GitHub", /\bgh[opsu]_[A-Za-z0-9]{20,}/],
  ["a JSON web token", /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./],
];

export interface Scan {
  /** The one secret that may be there. */
  readonly except: string;
  /** Values that must not be there in any usual writing. */
  readonly forbid: readonly string[];
}

/** Throws SecretInUserData when there is a secret in the text. */
export function refuseSecrets(text: string, { except, forbid }: Scan): void {
  secretsRefuser(forbid)(text, except);
}

/** The same for many texts, of which each may have another secret. */
export function secretsRefuser(forbid: readonly string[]): (text: string, except: string) => void {
  const never = forbid.filter(Boolean).flatMap(writings);
  return (text, except) => {
    const first = never.map((writing) => text.indexOf(writing)).find((place) => place >= 0);
    if (first !== undefined) throw new SecretInUserData("a value that must not leave", lineOf(text, first));
    const rest = except ? text.replaceAll(except, "claim") : text;
    for (const [what, pattern] of looks) {
      const found = pattern.exec(rest);
      if (found) throw new SecretInUserData(what, lineOf(rest, found.index));
    }
  };
}

/** As it is, in JSON, in an address, and in the ways in which bytes are written as text. */
function writings(value: string): string[] {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const encoded = (["base64", "base64url", "hex"] as const).map((encoding) => bytes.toString(encoding));
  return [value, json, encodeURIComponent(value), ...encoded.map((one) => one.replace(/=+$/, ""))];
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
