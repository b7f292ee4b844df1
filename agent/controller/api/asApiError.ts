import { NoRoom } from "../../store/blobs.ts";
import { StoreConflict, StoreUnavailable } from "../../store/conflict.ts";
import { NameTaken } from "../names.ts";
import { Gone } from "../table.ts";
import { ApiError, kinds } from "./errors.ts";

/** What the client is told of an error, whatever it is. Nothing of its inside leaks: unexpected ones are only named. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isFull(error)) return noRoom(error);
  if (error instanceof NameTaken) return new ApiError(kinds.unprocessable, "The name is taken", error);
  if (error instanceof Gone) return new ApiError(kinds.notFound, "Resource not found", error);
  if (error instanceof StoreConflict || error instanceof StoreUnavailable)
    return new ApiError(kinds.unavailable, "The store does not accept the change now; try again", error);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  return ofServer(typeof code === "string" ? code : "", typeof statusCode === "number" ? statusCode : 500, error);
}

/** Errors of the HTTP server itself, by its own codes. */
function ofServer(code: string, status: number, error: unknown): ApiError {
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return new ApiError(kinds.tooLarge, "The request body is larger than this endpoint takes", error);
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new ApiError(kinds.contentType, "Invalid content type, expected: application/json", error);
  if (status === 400)
    return new ApiError(kinds.parse, "Request invalid due to parse error: invalid request body", error);
  if (status < 500) return new ApiError([status, 10004, "InvalidRequest"], "The request is invalid", error);
  return new ApiError(kinds.unknown, "An unknown error occurred.", error);
}

export function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return error instanceof NoRoom || code === "ENOSPC" || code === "EDQUOT";
}

export function noRoom(cause: unknown): ApiError {
  return new ApiError(
    kinds.noRoom,
    "There is no room left for the upload: free disk space on the controller's and core's nodes, or delete apps, and push again",
    cause,
  );
}
