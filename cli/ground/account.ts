import { regionsOf } from "../../infra/inventory.ts";
import { type Account, openAccount } from "../../infra/inventoryAccount.ts";
import type { Call } from "../call.ts";
import { lastGround, offlinePlace } from "../cluster/offline/place.ts";
import { Fault } from "../fault.ts";

/**
 * Uses the person's AWS account, or with `--offline` the EC2 API of this machine, for as long as `act` takes. `--region`
 * may be `all`: then every one that is enabled.
 */
export async function withAccount<T>(
  call: Call,
  act: (account: Account, regions: readonly string[]) => Promise<T>,
): Promise<T> {
  const offline = call.flag("offline");
  // Nobody says to which region an offline cluster pretends to belong.
  const wanted = call.text("region") ?? (offline ? "all" : undefined);
  const region = wanted === "all" ? anyRegion(call.io.env) : wanted;
  const account = await openAccount({ region, ...(offline && offlineApi(call.io.env)) });
  try {
    return await act(account, wanted === "all" ? await regionsOf(account) : [account.region]);
  } finally {
    account.close();
  }
}

/** To ask which regions there are, one has to be in one: any does. */
function anyRegion(env: NodeJS.ProcessEnv): string {
  return env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || "us-east-1";
}

function offlineApi(env: NodeJS.ProcessEnv) {
  const ground = lastGround(offlinePlace(env));
  if (ground?.runs)
    return { endpoint: ground.url, credentials: { accessKeyId: "rehearsal", secretAccessKey: "rehearsal" } };
  throw new Fault("no offline EC2 runs on this machine, so nothing stands on it", {
    code: "no_offline_ground",
    hint: "tutti up SPEC --offline makes a cluster there; without --offline your AWS account is asked",
  });
}
