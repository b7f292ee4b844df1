import type { Tables } from "../tables.ts";
import { ApiError, type ErrorBody, errorBody, kinds } from "./errors.ts";

const detail =
  "This cluster has no first user yet: the license step was not taken. POST email, password and unix_password to " +
  "/stackato/license from the controller's own node, or run tutti bootstrap";

const refusal = () => new ApiError(kinds.unavailable, detail);
export const notLicensed = (): ErrorBody => errorBody(refusal());

/** Throws until the license step has been taken. Once it has, it is never asked again. */
export function licenseGate({ license }: Pick<Tables, "license">): () => Promise<void> {
  let taken = false;
  return async () => {
    taken ||= (await license.get("license")) !== undefined;
    if (!taken) throw refusal();
  };
}
