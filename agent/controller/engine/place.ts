/** An instance that looks for a place. MiB. */
export interface Wanted {
  droplet: string;
  memory: number;
  disk: number;
  /** Empty: any. */
  stack: string;
}

/** A DEA as placement sees it. Undefined sizes: the DEA said it has room, but not how much. MiB. */
export interface Offer {
  readonly id: string;
  memory: number | undefined;
  disk: number | undefined;
  readonly maxMemory: number | undefined;
  /** Empty: unknown, taken for any. */
  readonly stacks: readonly string[];
  readonly zone: string;
  /** Instances of this process there. */
  count: number;
  readonly ack: boolean;
  /** It did not answer or refused: its instances count for spreading, but it is no choice. */
  closed: boolean;
}

export function fits(wanted: Wanted, offer: Omit<Offer, "closed" | "count" | "maxMemory">): boolean {
  return hasRoom(wanted.memory, offer.memory) && hasRoom(wanted.disk, offer.disk) && hasStack(wanted.stack, offer);
}

const hasRoom = (wanted: number, free: number | undefined) => free === undefined || free >= wanted;
const hasStack = (stack: string, { stacks }: Pick<Offer, "stacks">) =>
  stack === "" || stacks.length === 0 || stacks.includes(stack);

/**
 * Chooses where one instance goes: what fits, in the zone with the fewest instances of the process, on a DEA with the
 * fewest, among those about as free as the freest. The last choice is `random` (0 ≤ r < 1): two controllers that see
 * the same offers should not both pile onto one DEA.
 */
export function place(wanted: Wanted, offers: readonly Offer[], random: () => number = Math.random): Offer | undefined {
  const open = offers.filter((offer) => !offer.closed && fits(wanted, offer));
  if (open.length <= 1) return open[0];
  const zones = new Map<string, number>();
  for (const offer of offers) zones.set(offer.zone, (zones.get(offer.zone) ?? 0) + offer.count);
  const inZone = fewest(open, (offer) => zones.get(offer.zone) ?? 0);
  const spread = fewest(inZone, (offer) => offer.count);
  const largest = Math.max(1, ...spread.map((offer) => offer.memory ?? 0));
  const free = (offer: Offer) => (offer.memory ?? 0) / (offer.maxMemory || largest);
  const best = Math.max(...spread.map(free));
  const freest = spread.filter((offer) => free(offer) >= best * 0.9);
  return freest[Math.floor(random() * freest.length)];
}

function fewest(offers: readonly Offer[], of: (offer: Offer) => number): Offer[] {
  let least = Number.POSITIVE_INFINITY;
  let kept: Offer[] = [];
  for (const offer of offers) {
    const count = of(offer);
    if (count < least) [least, kept] = [count, [offer]];
    else if (count === least) kept.push(offer);
  }
  return kept;
}

/** Notes that an instance goes there, so that the next one of the batch sees it. */
export function occupy(offer: Offer, wanted: Wanted, sign: 1 | -1 = 1): void {
  offer.count += sign;
  if (offer.memory !== undefined) offer.memory -= sign * wanted.memory;
  if (offer.disk !== undefined) offer.disk -= sign * wanted.disk;
}

/** Why nothing fits, in words for the person whose app does not start. */
export function shortage(wanted: Wanted, offers: readonly Offer[]): string {
  if (offers.length === 0) return "no DEA has answered: is a node with the role dea up?";
  const right = offers.filter((offer) => hasStack(wanted.stack, offer));
  if (right.length === 0) return `no DEA has the stack ${wanted.stack}`;
  const largest = (of: (offer: Offer) => number | undefined) => Math.max(0, ...right.map((offer) => of(offer) ?? 0));
  const memory = largest((offer) => offer.memory);
  if (memory < wanted.memory) return `no DEA has ${wanted.memory} MiB free: the largest has ${memory} MiB`;
  const disk = largest((offer) => offer.disk);
  if (disk < wanted.disk) return `no DEA has ${wanted.disk} MiB of disk free: the largest has ${disk} MiB`;
  return "every DEA that has room refused the instance or did not answer";
}
