/** What AWS would not do, in words of the person who asked. Throttling and passing failures were retried before. */
export class AwsFault extends Error {
  override name = "AwsFault";
  readonly code: string;
  readonly hint: string;
  constructor(message: string, { code, hint, cause }: { code: string; hint: string; cause: unknown }) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** AWS's own word for what went wrong. */
export function codeOf(error: unknown): string {
  const { name, code, Code } = error as { name?: string; code?: string; Code?: string };
  return Code ?? (name && name !== "Error" ? name : (code ?? ""));
}

/** True when the thing is not there (any more). */
export function isGone(error: unknown): boolean {
  return /NotFound|NoSuch|NotExist|InvalidAllocationID|NotAttached/.test(codeOf(error));
}

/** True while something else that is going still holds it. */
export function isHeld(error: unknown): boolean {
  return /^(DependencyViolation|DeleteConflict|InvalidIPAddress\.InUse|VolumeInUse|BucketNotEmpty|OperationAborted)$/.test(
    codeOf(error),
  );
}

const kinds: readonly { match: RegExp; code: string; says: string; hint: string }[] = [
  {
    match: /^CredentialsProviderError$/,
    code: "no_credentials",
    says: "there are no AWS credentials here",
    hint: "aws configure, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  },
  {
    match: /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/,
    code: "credentials_expired",
    says: "the AWS credentials have expired",
    hint: "log in again (aws sso login); if they are fresh, look at this machine's clock",
  },
  {
    match: /^(AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient\w*|InvalidAccessKeyId)$/,
    code: "bad_credentials",
    says: "AWS does not accept these credentials",
    hint: "aws sts get-caller-identity shows whose they are; a region that is not enabled answers the same",
  },
  {
    match: /^(UnauthorizedOperation|AccessDenied\w*|OptInRequired)$/,
    code: "not_allowed",
    says: "these AWS credentials may not do that",
    hint: "give them the right that is named, or use others: AWS_PROFILE",
  },
  {
    match: /^(RequestLimitExceeded|Throttling\w*|SlowDown|TooManyRequestsException)$/,
    code: "throttled",
    says: "AWS throttles this account",
    hint: "try again in a minute: nothing is lost by it",
  },
  {
    match: /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|TimeoutError)$/,
    code: "unreachable",
    says: "nothing answers at AWS's address",
    hint: "is the region's name right (--region), and is there a way to the internet?",
  },
];

/** An error of the SDK as one that a person can act on. `doing`: `listing instances in eu-central-1`. */
export function faultOf(error: unknown, doing: string): AwsFault {
  if (error instanceof AwsFault) return error;
  const word = codeOf(error);
  const { message = "", code: socket = "" } = error as { message?: string; code?: string };
  const kind = kinds.find(({ match }) => match.test(word) || match.test(socket));
  const detail = [word, message.split("\n")[0]].filter(Boolean).join(": ");
  if (!kind) return new AwsFault(`${doing}: ${detail}`, { code: "aws", hint: "try again", cause: error });
  return new AwsFault(`${kind.says} (${doing}: ${detail})`, { code: kind.code, hint: kind.hint, cause: error });
}

/** Waits for an answer of AWS; what is thrown says what was being done. */
export async function asked<T>(doing: string, answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw faultOf(error, doing);
  });
}
