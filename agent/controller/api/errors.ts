/** An error as Cloud Foundry's API tells it: `{"errors":[{code,title,detail}]}`. Thrown by endpoints, sent by the server. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: number;
  readonly title: string;
  constructor([status, code, title]: Kind, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.status = status;
    this.code = code;
    this.title = `CF-${title}`;
  }
}

/** Status, code and title (without `CF-`), as in the error list of cloud_controller_ng. */
export type Kind = readonly [status: number, code: number, title: string];

export const kinds = {
  invalidToken: [401, 1000, "InvalidAuthToken"],
  parse: [400, 1001, "MessageParseError"],
  contentType: [400, 1003, "InvalidContentType"],
  badRequest: [400, 1004, "BadRequest"],
  unknownRoute: [404, 10000, "NotFound"],
  unknown: [500, 10001, "UnknownError"],
  notAuthenticated: [401, 10002, "NotAuthenticated"],
  notAuthorized: [403, 10003, "NotAuthorized"],
  badQuery: [400, 10005, "BadQueryParameter"],
  unprocessable: [422, 10008, "UnprocessableEntity"],
  notFound: [404, 10010, "ResourceNotFound"],
  unavailable: [503, 10015, "ServiceUnavailable"],
  uploaded: [400, 150004, "PackageBitsAlreadyUploaded"],
  upload: [422, 160001, "AppBitsUploadInvalid"],
  stagingInProgress: [422, 170017, "StagingInProgress"],
  // Ours: Cloud Foundry has no word for these.
  tooLarge: [413, 160003, "AppBitsTooLarge"],
  noRoom: [507, 150011, "InsufficientStorage"],
  licensed: [409, 500001, "AlreadyLicensed"],
  licenseFrom: [403, 500002, "LicenseNotFromHere"],
  tooMany: [429, 10013, "RateLimitExceeded"],
} as const satisfies Record<string, Kind>;

/** `what` as the client calls it: App, Package … */
export const notFound = (what: string) => new ApiError(kinds.notFound, `${what} not found`);
export const unprocessable = (detail: string) => new ApiError(kinds.unprocessable, detail);
export const badRequest = (detail: string) => new ApiError(kinds.badRequest, `Bad request: ${detail}`);
export const badQuery = (detail: string) => new ApiError(kinds.badQuery, `The query parameter is invalid: ${detail}`);
export const notAuthorized = () =>
  new ApiError(kinds.notAuthorized, "You are not authorized to perform the requested action");

export interface ErrorBody {
  errors: { code: number; title: string; detail: string }[];
}

export const errorBody = ({ code, title, message }: ApiError): ErrorBody => ({
  errors: [{ code, title, detail: message }],
});

/** The record, or 404 that names its kind. */
export function found<T>(record: T | undefined, what: string): T {
  if (record === undefined) throw notFound(what);
  return record;
}
