import { componentId, presence } from "../bus/presence.ts";
import { group } from "../run/group.ts";
import type { Runner } from "../run/runner.ts";
import { newCounts } from "./counts.ts";
import { intake } from "./intake.ts";
import { type StagerOptions, withDefaults } from "./options.ts";

/** Turns uploaded bits into droplets: one of the components of a node. */
export function stager(settings: StagerOptions): Runner {
  const options = withDefaults(settings);
  return {
    name: "stager",
    run(stop, ready) {
      const counts = newCounts();
      const uuid = componentId(options.index);
      const seen = presence({ ...options, type: "Stager", uuid, varz: counts.varz });
      return group("stager", [seen, intake(options, counts)]).run(stop, ready);
    },
  };
}
