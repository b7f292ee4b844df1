import type { Start } from "./decisions.ts";

/** Starts on their way out: the urgent first, each slot once, so many in a beat. */
export class StartQueue {
  readonly #rate: number;
  #room: number;
  #waiting = new Map<string, Start>();

  constructor(rate: number) {
    this.#rate = rate;
    this.#room = rate;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** A new beat: as many again may go. */
  refill(): void {
    this.#room = this.#rate;
  }

  offer(start: Start): void {
    const key = `${start.droplet}/${start.version}/${start.index}`;
    const old = this.#waiting.get(key);
    if (!old || old.priority < start.priority) this.#waiting.set(key, start);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** What goes now. A start that is no longer right when its turn has come is dropped and costs nothing. */
  take(stillRight: (start: Start) => boolean): Start[] {
    const sorted = [...this.#waiting].sort(([, a], [, b]) => b.priority - a.priority);
    const going: Start[] = [];
    for (const [key, start] of sorted) {
      if (going.length >= this.#room) break;
      this.#waiting.delete(key);
      if (stillRight(start)) going.push(start);
    }
    this.#room -= going.length;
    return going;
  }
}
