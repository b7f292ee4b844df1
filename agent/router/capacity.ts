interface Room {
  spareSlots: number;
  view: { readonly highest: number };
}

/** How many backends a HAProxy is started with: the spare ones, doubled until some are free. */
export function capacityFor(highest: number, spareSlots: number): number {
  let capacity = spareSlots;
  while (capacity < highest + Math.ceil(spareSlots / 4)) capacity *= 2;
  return capacity;
}

/** True when it is time for more backends: a little before they run out, so that no new app has to wait. */
export function runsLow(capacity: number, { spareSlots, view }: Room): boolean {
  return view.highest + Math.ceil(spareSlots / 8) > capacity;
}
