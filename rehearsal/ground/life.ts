import { sleep } from "../../agent/run/sleep.ts";
import type { Ended, Machine } from "../machines/machine.ts";
import { type ConsoleReader, consoleReader } from "./console.ts";
import type { Happening } from "./event.ts";
import { type Have, nextStep, type Step, type Wanted } from "./step.ts";

/** What a life needs of the world. */
export interface Hands {
  /** All that a machine finds when it boots: addresses, network, disk. Anew for each boot. */
  prepare(): Promise<Machine>;
  unplug(): Promise<void>;
  /** The machine has switched itself off. */
  switchedOff(): Promise<void>;
  tell(kind: Happening, detail?: string): void;
}

/** What the API said of an instance when it was looked at. */
export interface Look {
  readonly wanted: Wanted;
  /** Trace of the last reboot; see `rebootOf`. */
  readonly reboot: string;
  /** When the look began, in milliseconds of a clock that never goes back. */
  readonly began: number;
}

/** So many boots that fail in a row are enough, until the API wants something else. */
const patience = 5;
/** A boot that lasted so long (ms) was a good one. */
const settled = 10_000;
const cloudInitsEnd = /Cloud-init v\. \S+ finished at/;

/** One instance and its machine: works until the machine is what the API says. */
export class Life {
  machine: Machine | undefined;
  /** True when cloud-init has ended in the boot that is or was the last. */
  finished = false;
  readonly #hands: Hands;
  readonly #breath: number;
  #wanted: Wanted = "off";
  #asked = "";
  #done = "";
  #have: Have = "nothing";
  #console: ConsoleReader | undefined;
  #working: Promise<void> | undefined;
  #failures = 0;
  #bootedAt = 0;
  /** Looks that began before this are of a time when the API did not know yet that the machine is off. */
  #knownSince = 0;
  /** How many have asked the machine to end: its end is no surprise then. */
  #ending = 0;
  #booting = false;
  #rebooting = false;
  #wake = new AbortController();

  /** `breath`: milliseconds before the first repetition of what failed; each further one waits twice as long. */
  constructor(hands: Hands, breath = 1000) {
    this.#hands = hands;
    this.#breath = breath;
  }

  /** True while something is done, or has to be. */
  get busy(): boolean {
    return this.#working !== undefined || this.#rebooting;
  }

  /** True when there is no machine any more, and none is wanted. */
  get over(): boolean {
    return this.#wanted === "gone" && this.#have === "nothing" && !this.#working;
  }

  want({ wanted, reboot, began }: Look): void {
    if (began < this.#knownSince) return;
    const changed = wanted !== this.#wanted;
    this.#wanted = wanted;
    this.#asked = reboot;
    if (changed) this.#hurry();
    this.#work();
  }

  /** Looks at what happens by itself: the console, the end of a reboot from inside. */
  watch(): void {
    if (this.#rebooting && this.machine?.state === "running") {
      this.#rebooting = false;
      this.#hands.tell("running");
    }
    if (!this.#console?.saw(cloudInitsEnd)) return;
    this.finished = true;
    this.#hands.tell("finished");
  }

  /** Removes the machine, whatever the API says. */
  async end(): Promise<void> {
    this.#knownSince = 0;
    this.want({ wanted: "gone", reboot: "", began: 1 });
    while (this.#working) await this.#working;
  }

  /** What was waited for or done may be of no use any more. */
  #hurry(): void {
    this.#failures = 0;
    this.#wake.abort();
    this.#wake = new AbortController();
    // It need not switch off in good order any more, nor boot to the end.
    if (this.#wanted === "gone" && this.#working) void this.#expected(() => this.machine?.kill());
  }

  #next(): Step | undefined {
    const step = nextStep({ wanted: this.#wanted, have: this.#have, asked: this.#asked, done: this.#done });
    return step === "boot" && this.#failures >= patience ? undefined : step;
  }

  #work(): void {
    const untold = this.#knownSince === Number.POSITIVE_INFINITY;
    if (this.#working || !(untold || this.#next())) return;
    this.#working = this.#turn().finally(() => {
      this.#working = undefined;
      this.#work();
    });
  }

  async #turn(): Promise<void> {
    if (this.#knownSince === Number.POSITIVE_INFINITY) await this.#switchedOff();
    if (this.#failures > 0) await sleep(this.#breath * Math.min(30, 2 ** (this.#failures - 1)), this.#wake.signal);
    const step = this.#next();
    if (!step) return;
    try {
      await this.#steps[step]();
    } catch (error) {
      this.#failed(step, error);
    }
  }

  readonly #steps: Record<Step, () => Promise<void>> = {
    boot: async () => {
      this.#done = this.#asked;
      this.#hands.tell("booting");
      const machine = await this.#hands.prepare();
      this.machine = machine;
      machine.onEnd((how) => this.#ended(machine, how));
      this.#console = consoleReader(machine.console);
      await this.#powerOn(machine);
    },
    shutdown: async () => {
      this.#hands.tell("stopping");
      await this.#expected(() => this.machine?.shutdown());
      this.#have = "off";
      await this.#hands.unplug();
      this.#hands.tell("stopped");
    },
    reboot: async () => {
      this.#done = this.#asked;
      this.#hands.tell("rebooting");
      await this.#expected(() => this.machine?.shutdown());
      if (this.machine) await this.#powerOn(this.machine);
    },
    remove: async () => {
      await this.#expected(() => this.machine?.remove());
      await this.#hands.unplug();
      this.#have = "nothing";
      this.#hands.tell("gone");
    },
  };

  async #powerOn(machine: Machine): Promise<void> {
    this.#forget();
    this.#have = "on";
    this.#bootedAt = performance.now();
    this.#booting = true;
    await machine.boot().finally(() => {
      this.#booting = false;
    });
    if (this.#have === "on") this.#hands.tell("running");
  }

  /** What is on the console by now is of an earlier boot. */
  #forget(): void {
    this.finished = false;
    this.#console?.skip();
  }

  async #expected(act: () => Promise<void> | undefined): Promise<void> {
    this.#ending++;
    try {
      await act();
    } finally {
      this.#ending--;
    }
  }

  #ended(machine: Machine, how: Ended): void {
    if (machine !== this.machine || this.#ending > 0) return;
    if (how === "reboot") {
      this.#rebooting = true;
      this.#forget();
      this.#hands.tell("rebooting");
      return;
    }
    this.#rebooting = false;
    this.#have = "off";
    if (how === "crashed") this.#crashed();
    else this.#offByItself();
    this.#work();
  }

  #crashed(): void {
    // The boot that fails by it says so.
    if (this.#booting) return;
    this.#failures = performance.now() - this.#bootedAt > settled ? 1 : this.#failures + 1;
    this.#hands.tell("crashed");
  }

  #offByItself(): void {
    this.#knownSince = Number.POSITIVE_INFINITY;
    this.#wanted = "off";
    this.#hands.tell("off by itself");
  }

  async #switchedOff(): Promise<void> {
    await this.#hands.unplug();
    await this.#hands.switchedOff().catch((error: Error) => this.#hands.tell("failed", error.message));
    this.#knownSince = performance.now();
  }

  #failed(step: Step, error: unknown): void {
    // Cut off in the middle, as nobody wants it any more: that is no failure.
    if (this.#wanted === "gone" && step !== "remove") return;
    this.#failures++;
    if (this.machine?.state === "off" && this.#have === "on") this.#have = "off";
    this.#hands.tell("failed", error instanceof Error ? error.message : String(error));
  }
}
