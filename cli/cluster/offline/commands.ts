import type { Call } from "../../call.ts";
import { closeGround, openGround } from "./ground.ts";
import { offlinePlace } from "./place.ts";

/** `tutti offline up`: `--offline` starts it by itself; this is for those who want its address. */
export async function offlineUp({ io }: Call): Promise<void> {
  const { pid, url, fresh } = await openGround(offlinePlace(io.env));
  io.result({ ok: true, pid, url, fresh }, `the API of EC2 answers at ${url}${fresh ? "" : ", as before"}`);
}

/** `tutti offline down`: a ground that does not run is not an error. */
export async function offlineDown({ io }: Call): Promise<void> {
  const pid = await closeGround(offlinePlace(io.env));
  const text = pid ? "the offline EC2 is gone, with every cluster on it" : "nothing runs";
  io.result({ ok: true, stopped: pid !== undefined }, text);
}
