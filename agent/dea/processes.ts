import type { Box, Identity, Stray } from "./driver.ts";
import type { Ended } from "./exits.ts";
import { bootId, ownerOf, type Process, processes, processOf, variableOf } from "./procfs.ts";
import { ownerOfSlot, slots, type UserChoice } from "./users.ts";

/** Is the process that this identity names still there? A number that was given to another does not count. */
export function alive({ pid, started, boot }: Identity): boolean {
  return processOf(pid)?.started === started && boot === bootId();
}

/** All processes of an instance: of its session, and, when it has a user of its own, of that user. */
export function membersOf(
  all: readonly Process[],
  box: Box,
  { choice, identity }: { choice: UserChoice; identity: Identity | undefined },
) {
  const own = choice !== "agent" && "base" in choice ? ownerOfSlot(choice, box.slot)?.uid : undefined;
  const inSession = sessionIsOurs(all, identity) ? identity?.pid : undefined;
  return all.filter((one) => one.session === inSession || (own !== undefined && ownerOf(one.pid) === own));
}

/** A session keeps its number while any member lives. A leader of that number which started at another time is a stranger. */
function sessionIsOurs(all: readonly Process[], identity: Identity | undefined): boolean {
  if (!identity || identity.boot !== bootId()) return false;
  const leader = all.find((one) => one.pid === identity.pid);
  return !leader || leader.started === identity.started;
}

/** SIGKILL to whatever these calls find, until nothing is found: a process may fork while it is being killed. */
export async function killAll(find: () => Promise<readonly Process[]>): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    const left = await find();
    if (left.length === 0) return;
    for (const { pid } of left) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** False when there was nobody to hear it. A negative number means the whole group. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** The variable by which an instance's processes are known again. */
export const mark = "VCAP_INSTANCE_DIR";

export const belongsTo = (pid: number, box: Box) => variableOf(pid, mark) === box.directory;

/** Processes that look like instances of this root but belong to no known box. */
export async function strayProcesses(root: string, choice: UserChoice, known: readonly Box[]): Promise<Stray[]> {
  const all = await processes();
  const homes = new Set(known.map((box) => box.directory));
  const users = new Set(known.map((box) => ownerOfSlot(choice, box.slot)?.uid));
  const foreign = (pid: number) => {
    const uid = ownerOf(pid) ?? -1;
    if (choice === "agent" || !("base" in choice) || uid < choice.base || uid >= choice.base + slots) return false;
    return !users.has(uid);
  };
  return all.flatMap(({ pid }) => {
    const home = variableOf(pid, mark);
    const marked = home?.startsWith(`${root}/`) && !homes.has(home);
    return marked || foreign(pid) ? [{ pids: [pid] }] : [];
  });
}

/** Tells of the end of processes that are not our children, by looking ten times a second. */
export function endWatch(interval = 100) {
  const watched = new Map<Identity, (ended: Ended) => void>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    for (const [identity, tell] of watched) {
      if (alive(identity)) continue;
      watched.delete(identity);
      tell({});
    }
    if (watched.size === 0) close();
  };
  const close = () => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    close,
    ended(identity: Identity): Promise<Ended> {
      const { promise, resolve } = Promise.withResolvers<Ended>();
      watched.set(identity, resolve);
      timer ??= setInterval(look, interval);
      return promise;
    },
  };
}
