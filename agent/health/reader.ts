import type { Log } from "../run/log.ts";
import type { Bulk } from "./bulk.ts";
import type { DesiredRun, Moment } from "./wanted.ts";

export interface ReaderOptions {
  bulk: Bulk;
  log: Log;
  /** Milliseconds. */
  beat: number;
  /** Milliseconds between two readings when nothing asks for one. */
  refresh: number;
  now: () => number;
  onRun: (run: DesiredRun, began: Moment) => void;
}

/** Decides when the desired state is read: regularly, soon after a change, and not too often after failures. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #stop = new AbortController();
  #next = Number.NEGATIVE_INFINITY;
  #began = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #twice = false;
  #reading: Promise<void> | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** How many readings failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Something has changed: reads at once, but once a beat at most and never two at a time. And once more a little
   * later: the controller that answers may have heard of the change later than we did.
   */
  soon(): void {
    this.#twice = true;
    this.#next = Math.min(this.#next, this.#began + this.#options.beat);
    this.poke();
  }

  /** Reads when it is time. To be called each beat. */
  poke(): void {
    if (this.#reading || this.#stop.signal.aborted || this.#options.now() < this.#next) return;
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  async #read(): Promise<void> {
    const { bulk, beat, refresh, now, onRun, log } = this.#options;
    const began = { now: now(), unix: Math.floor(Date.now() / 1000) };
    this.#began = began.now;
    this.#next = began.now + (this.#twice ? Math.min(refresh, 2 * beat) : refresh);
    this.#twice = false;
    try {
      onRun(await bulk.read(this.#stop.signal), began);
      if (this.#failures > 0) log.info({ failures: this.#failures }, "the desired state can be read again");
      this.#failures = 0;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#failures++;
      this.#next = now() + Math.min(refresh, beat * 2 ** (this.#failures - 1));
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#failures === 1)
        log.warn({ reason }, "the desired state cannot be read; nothing is decided by an old one");
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }
}
