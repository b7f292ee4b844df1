interface Room {
  spareSlots: number;
  view: { readonly highest: number };
}

/** How many backends a HAProxy is started with: those in use, and a quarter of them more, at least the spare ones. */
export function capacityFor(highest: number, spareSlots: number): number {
  return highest + Math.max(spareSlots, Math.ceil(highest / 4));
}

/** True when it is time for more backends: a little before they run out, so that no new app has to wait. */
export function runsLow(capacity: number, { spareSlots, view }: Room): boolean {
  return view.highest + Math.ceil(spareSlots / 8) > capacity;
}
