import { Fault } from "../../agent/run/fault.ts";

/** A machine does not do what was asked of it. */
export class MachineFailed extends Fault {
  override name = "MachineFailed";
}
