import type { DeaOffer } from "../../bus/messages/placement.ts";
import type { Dea } from "./deas.ts";
import type { Offer, Wanted } from "./place.ts";

/** An answer to dea.discover, filled up with what the DEA has advertised: DEAs of others answer with their name only. */
export function offerOf(answer: DeaOffer, dea: Dea | undefined, droplet: string): Offer {
  return {
    id: answer.id,
    memory: answer.available_memory ?? dea?.memory,
    disk: answer.available_disk ?? dea?.disk,
    maxMemory: answer.max_memory,
    stacks: dea?.stacks ?? [],
    zone: answer.placement_properties?.zone ?? dea?.zone ?? "default",
    count: answer.app_id_to_count?.[droplet] ?? dea?.counts[droplet] ?? 0,
    ack: dea?.ack ?? answer.available_memory !== undefined,
    closed: false,
  };
}

/** A DEA known from its adverts. */
export function advertised(dea: Dea, droplet: string, closed: boolean): Offer {
  const { id, memory, disk, stacks, zone, ack } = dea;
  return { id, memory, disk, maxMemory: undefined, stacks, zone, count: dea.counts[droplet] ?? 0, ack, closed };
}

/** All DEAs as placement sees them: those that answered are open, the others count for spreading only. */
export function allOffers(answers: readonly DeaOffer[], known: readonly Dea[], { droplet }: Pick<Wanted, "droplet">) {
  const byId = new Map(known.map((dea) => [dea.id, dea]));
  const offers = new Map(answers.map((answer) => [answer.id, offerOf(answer, byId.get(answer.id), droplet)]));
  for (const dea of known) if (!offers.has(dea.id)) offers.set(dea.id, advertised(dea, droplet, true));
  return [...offers.values()];
}
