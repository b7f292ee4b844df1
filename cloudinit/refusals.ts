/** User data that must not be sent: why, and what to do about it. */
export class UserDataRefused extends Error {
  override name = "UserDataRefused";
  readonly code: string;
  readonly hint: string;
  constructor(message: string, { code, hint, cause }: { code: string; hint: string; cause?: unknown }) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** EC2 takes 16 KiB. */
export class UserDataTooLarge extends UserDataRefused {
  override name = "UserDataTooLarge";
  readonly size: number;
  constructor(size: number, limit: number, hint: string) {
    super(`user data would be ${size} bytes, EC2 takes ${limit}`, { code: "user_data_too_large", hint });
    this.size = size;
  }
}

/** Names the kind and the place of a secret, never the secret. */
export class SecretInUserData extends UserDataRefused {
  override name = "SecretInUserData";
  constructor(what: string, line: number) {
    const hint = "whoever may describe the instance reads its user data: only the claim may be in it";
    super(`user data would hold ${what} (line ${line})`, { code: "secret_in_user_data", hint });
  }
}
