/** Why a slot of a process is not running. */
export interface Note {
  details: string;
  /** Milliseconds. */
  at: number;
  /** Set when an instance ended there. */
  instance?: string;
  /** It ended unasked. */
  crashed?: boolean;
}

/** What is known of slots that do not run, until they run again or their process is gone. */
export interface Slots {
  note(process: string, index: number, note: Note): void;
  get(process: string, index: number): Note | undefined;
  clear(process: string, index: number): void;
  forget(process: string): void;
  /** Whether an instance of this slot ended since `then` (ms): it certainly does not run. */
  endedSince(process: string, index: number, then: number): boolean;
}

export function slots(): Slots {
  const notes = new Map<string, Map<number, Note>>();
  const get = (process: string, index: number) => notes.get(process)?.get(index);
  return {
    note(process, index, note) {
      const mine = notes.get(process) ?? new Map<number, Note>();
      notes.set(process, mine.set(index, note));
    },
    get,
    clear: (process, index) => void notes.get(process)?.delete(index),
    forget: (process) => void notes.delete(process),
    endedSince(process, index, then) {
      const note = get(process, index);
      return note?.instance !== undefined && note.at >= then;
    },
  };
}
