/** A port that waits until no router can send to it any more. */
export interface Resting {
  port: number;
  /** Milliseconds; absent while routers may not yet have heard that it is free. */
  until?: number;
  /** True when the bus was away as it became free: then routers get the whole life of a route to forget it. */
  late: boolean;
}

export interface PortsState {
  next: number;
  resting: Resting[];
}

export interface PortRange {
  first: number;
  last: number;
}

/** Milliseconds of rest: `normal` after the routers were told, `late` when they could not be told at once. */
export interface Rest {
  normal: number;
  late: number;
}

export interface Ports {
  /** The next port that nobody uses and no router remembers: never-used ones first, then the longest unused. */
  take(used: ReadonlySet<number>, now: number): number | undefined;
  release(port: number, connected: boolean): void;
  /** The routers have been told that the port is no longer served. */
  forgotten(port: number, now: number): void;
  readonly state: PortsState;
}

/** Hands out ports in a circle, so that a port is seen again as late as possible. */
export function ports(range: PortRange, rest: Rest, saved?: PortsState): Ports {
  const size = range.last - range.first + 1;
  const inRange = (port: number) => port >= range.first && port <= range.last;
  let next = saved && inRange(saved.next) ? saved.next : range.first;
  let resting = (saved?.resting ?? []).filter((one) => inRange(one.port));
  const after = (port: number) => (port >= range.last ? range.first : port + 1);
  return {
    take(used, now) {
      resting = resting.filter((one) => one.until === undefined || one.until > now);
      const tired = new Set(resting.map((one) => one.port));
      for (let step = 0, port = next; step < size; step++, port = after(port)) {
        if (used.has(port) || tired.has(port)) continue;
        next = after(port);
        return port;
      }
      return undefined;
    },
    release(port, connected) {
      resting = [...resting.filter((one) => one.port !== port), { port, late: !connected }];
    },
    forgotten(port, now) {
      resting = resting.map((one) =>
        one.port === port ? { ...one, until: now + (one.late ? rest.late : rest.normal) } : one,
      );
    },
    get state() {
      return { next, resting };
    },
  };
}
