import { z } from "zod";
import { Answer, type Api, type Call, type Endpoint, early, get, post } from "./api.ts";
import { parse } from "./body.ts";
import { bounded } from "./bounded.ts";
import { claim, ownerOf } from "./claim.ts";
import { ApiError, kinds } from "./errors.ts";
import { fromHere } from "./loopback.ts";

const shortest = 8;

/** As 2.x had it: an e-mail address and two passwords. Other fields of old forms are ignored. */
const form = z.object({
  email: z
    .string()
    .trim()
    .max(254)
    .regex(/^[^\s@]+@[^\s@]+$/, "must be an e-mail address")
    .transform((text) => text.toLowerCase()),
  password: z
    .string()
    .min(shortest, `is too short: take at least ${shortest} characters, three or four words do well`)
    .max(1024),
  unix_password: z.string().min(shortest, `is too short: take at least ${shortest} characters`).max(1024).optional(),
});

/** The license step: makes the first user, once. */
export function license(api: Api): Endpoint[] {
  // One at a time: of a crowd only the first costs a hash.
  const turn = bounded(1);
  return [
    early(get("/stackato/license", () => state(api))),
    early(post("/stackato/license", (call) => turn(() => take(api, call)))),
  ];
}

async function state({ tables, domain }: Api) {
  const taken = await tables.license.get("license");
  // Nobody has proven who they are here: whose cluster it is stays untold.
  return { licensed: taken !== undefined, domain, ...(taken && { at: taken.value.at }) };
}

async function take(api: Api, call: Call): Promise<Answer> {
  checkPlace(api, call);
  const { email, password, unix_password } = parse(form, call.body);
  const outcome = await claim(api, { email, password });
  if (outcome === "wait") throw new ApiError(kinds.tooMany, "Too many attempts: wait half a minute and try again");
  if (outcome === "taken by another") return refuse(api, call, email);
  const owner = await ownerOf(api);
  const steps = {
    first_user: outcome,
    ...(unix_password !== undefined && { unix_password: "left to the node's own setup" }),
  };
  return new Answer(outcome === "done" ? 201 : 200, { licensed: true, state: outcome, ...owner, steps });
}

function checkPlace(api: Api, { request, base }: Call): void {
  const { origin } = request.headers;
  // A page in a browser on this very machine must not be able to send the form for a stranger.
  const foreign = origin !== undefined && origin !== base;
  const { remoteAddress } = request.socket;
  const here = api.licenseFrom === "anywhere" || fromHere(remoteAddress, request.headers["x-forwarded-for"]);
  if (here && !foreign) return;
  api.log.warn({ from: remoteAddress, origin }, "A license step from elsewhere was refused");
  throw new ApiError(
    kinds.licenseFrom,
    "The license step is taken on the controller's own node: log in there and send the form to 127.0.0.1, or set licenseFrom to anywhere",
  );
}

function refuse(api: Api, { request }: Call, email: string): never {
  api.log.warn({ email, from: request.socket.remoteAddress }, "A second license step was refused");
  throw new ApiError(
    kinds.licensed,
    "This cluster already has its first user, and it is not this one (or the password is wrong)",
  );
}
