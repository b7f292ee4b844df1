import { type Runner, type Running, start, stopped } from "./runner.ts";

/** A member of a group ended although nobody asked it to. `member` names it, `cause` says why. */
export class MemberExited extends Error {
  override name = "MemberExited";
  readonly member: string;
  constructor(group: string, member: string, cause?: unknown) {
    super(`${group}: ${member} ended${cause instanceof Error ? `: ${cause.message}` : " unasked"}`, { cause });
    this.member = member;
  }
}

/**
 * Runs members in order: each is started when the one before it is ready, and all are stopped in reverse.
 * The first member that ends unasked brings the group down, and the group's error names it.
 */
export function group(name: string, members: readonly Runner[]): Runner {
  return {
    name,
    async run(stop, ready) {
      const running: Running[] = [];
      const { promise: failed, reject } = Promise.withResolvers<never>();
      failed.catch(() => {});
      const asked = stopped(stop);
      try {
        for (const member of members) {
          if (stop.aborted) break;
          const one = start(member);
          running.push(one);
          one.exited.then(
            () => reject(new MemberExited(name, member.name)),
            (cause) => reject(new MemberExited(name, member.name, cause)),
          );
          await Promise.race([one.ready.catch(() => failed), failed, asked]);
        }
        if (!stop.aborted) ready();
        await Promise.race([failed, asked]);
      } finally {
        for (const one of running.reverse()) await one.stop();
      }
    },
  };
}
