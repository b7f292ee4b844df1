import { regionsOf } from "../../infra/inventory.ts";
import { type Account, openAccount } from "../../infra/inventoryAccount.ts";
import type { Call } from "../call.ts";

/** Uses the person's AWS account for as long as `act` takes. `--region` may be `all`: then every one that is enabled. */
export async function withAccount<T>(
  call: Call,
  act: (account: Account, regions: readonly string[]) => Promise<T>,
): Promise<T> {
  const wanted = call.text("region");
  const account = await openAccount({ region: wanted === "all" ? firstRegion(call.io.env) : wanted });
  try {
    return await act(account, wanted === "all" ? await regionsOf(account) : [account.region]);
  } finally {
    account.close();
  }
}

/** To ask which regions there are, one has to be in one: any does. */
function firstRegion(env: NodeJS.ProcessEnv): string {
  return env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || "us-east-1";
}
