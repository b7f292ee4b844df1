import { randomBytes } from "node:crypto";

const hours = 3_600_000;

/** Credentials of roles, as machines get them. They open nothing: the rehearsal's API asks nobody who he is. */
export interface Vault {
  /** The JSON for this machine; the same until an hour before its end. `now` in milliseconds. */
  of(host: string, now: number): string;
}

export function vault(): Vault {
  const given = new Map<string, { text: string; fresh: number }>();
  return {
    of(host, now) {
      const known = given.get(host);
      if (known && known.fresh > now) return known.text;
      const text = made(now);
      given.set(host, { text, fresh: now + 5 * hours });
      return text;
    },
  };
}

function made(now: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const id = [...randomBytes(16)].map((byte) => letters[byte % 32]).join("");
  const credentials = {
    Code: "Success",
    LastUpdated: instant(now),
    Type: "AWS-HMAC",
    AccessKeyId: `ASIA${id}`,
    SecretAccessKey: randomBytes(30).toString("base64"),
    Token: randomBytes(96).toString("base64"),
    Expiration: instant(now + 6 * hours),
  };
  return JSON.stringify(credentials, undefined, 2);
}

/** To the second, as EC2 writes it. */
const instant = (time: number) => new Date(time).toISOString().replace(/\.\d+Z/, "Z");
