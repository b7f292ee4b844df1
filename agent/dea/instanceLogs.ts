import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import type { Log } from "../run/log.ts";
import { sleep } from "../run/sleep.ts";
import { allowance } from "./logLines.ts";
import { dropNotice, perSecond } from "./notices.ts";
import { type Drained, type Tail, tail } from "./tail.ts";

export interface Line {
  at: number;
  err?: boolean;
  text: string;
}

export interface Offsets {
  stdout: number;
  stderr: number;
}

export interface InstanceLogsOptions {
  /** Absolute, real path of the instance's `logs`. */
  directory: string;
  offsets: Offsets;
  /** Bytes on disk for each file. */
  cap: number;
  /** Can lines be published now? They wait in the file while not. */
  listening: () => boolean;
  publish: (lines: Line[]) => void;
  log: Log;
}

export interface InstanceLogs {
  readonly offsets: Offsets;
  /** Look now: something that was away is back. */
  wake(): void;
  /** Publishes the rest and ends. */
  finish(): Promise<void>;
  /** Ends; the next run goes on from `offsets`. */
  close(): Promise<void>;
}

/** Milliseconds between two looks while output comes, and while none is expected. */
const busy = 20;

const idle = 30_000;

/** Follows the two log files of an instance: told by the kernel while it is quiet, by the clock while it is loud. */
export function instanceLogs(options: InstanceLogsOptions): InstanceLogs {
  const { directory, offsets, cap, listening, publish, log } = options;
  const shared = allowance(perSecond, performance.now());
  const open = (name: keyof Offsets) =>
    tail({ path: join(directory, `${name}.log`), offset: offsets[name], cap, allowance: shared });
  const streams: [Tail, boolean][] = [
    [open("stdout"), false],
    [open("stderr"), true],
  ];
  const stop = new AbortController();
  let bell = new AbortController();
  const wake = () => bell.abort();
  const drop = dropNotice();
  const tell = ({ lines, dropped }: Drained, err: boolean, last = false) => {
    const at = Date.now();
    const notice = drop.say(lines, dropped, last ? Number.POSITIVE_INFINITY : at);
    const said = lines.map((text) => (err ? { at, err, text } : { at, text }));
    if (said.length + notice.length > 0) publish([...said, ...notice.map((text) => ({ at, err: true, text }))]);
  };
  const turn = async (): Promise<boolean> => {
    let more = false;
    for (const [one, err] of streams) {
      const drained = await one.drain(performance.now(), listening());
      tell(drained, err);
      more ||= drained.more;
    }
    return more || drop.pending();
  };
  const follow = async () => {
    const watcher = watchQuietly(directory, wake);
    let quiet = 0;
    while (!stop.signal.aborted) {
      bell = new AbortController();
      const more = await turn().catch((error) => void log.debug({ error: String(error) }, "A log could not be read."));
      quiet = more ? 0 : quiet + 1;
      // A kernel that can't watch, or a bus that is away, leaves only the clock.
      const wait = quiet < 2 ? busy : watcher && listening() ? idle : 200;
      await sleep(wait, wait === busy ? stop.signal : AbortSignal.any([stop.signal, bell.signal]));
    }
    watcher?.close();
  };
  const following = follow();
  const end = async () => {
    stop.abort();
    await following;
  };
  const close = async () => {
    await end();
    await Promise.all(streams.map(([one]) => one.close()));
  };
  return {
    wake,
    get offsets() {
      const [stdout, stderr] = streams.map(([one]) => one.offset);
      return { stdout: stdout ?? 0, stderr: stderr ?? 0 };
    },
    async finish() {
      await end();
      for (const [one, err] of streams) {
        const rest = await one.finish().catch(() => ({ lines: [], dropped: 0, more: false }));
        tell(rest, err, true);
      }
      await close();
    },
    close,
  };
}

function watchQuietly(directory: string, wake: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, wake);
    watcher.on("error", () => {});
    return watcher;
  } catch {
    return undefined;
  }
}
