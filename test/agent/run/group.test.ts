import { describe, expect, test } from "vitest";
import { group, MemberExited } from "../../../agent/run/group.ts";
import { start } from "../../../agent/run/runner.ts";
import { handRunner } from "../../support/handRunner.ts";
import { until } from "../../support/until.ts";

function three() {
  const events: string[] = [];
  const members = ["bus", "store", "api"].map((name) => handRunner(name, events));
  return { events, members, running: start(group("house", members)) };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: MemberExited) => error,
  );

async function allReady(members: ReturnType<typeof three>["members"]) {
  for (const member of members) {
    await until(() => member.runs === 1, { what: `${member.name} runs` });
    member.becomeReady();
  }
}

describe("a group", () => {
  test("starts each member when the one before it is ready, and is ready with the last", async () => {
    const { events, members, running } = three();
    let ready = false;
    running.ready.then(() => {
      ready = true;
    });
    for (const [i, member] of members.entries()) {
      await until(() => member.runs === 1, { what: `${member.name} runs` });
      expect([events.length, ready]).toEqual([i + 1, false]);
      member.becomeReady();
    }
    await running.ready;
    await running.stop();
  });

  test("stops its members in reverse, each after the next has ended", async () => {
    const { events, members, running } = three();
    await allReady(members);
    await running.ready;
    events.length = 0;
    await running.stop();
    expect(events).toEqual(["api", "store", "bus"].flatMap((name) => [`${name} is asked to stop`, `${name} ended`]));
  });

  test("ends as a whole when a member fails, and names it with the reason", async () => {
    const { events, members, running } = three();
    await allReady(members);
    await running.ready;
    const cause = new Error("disk full");
    members[1]?.end(cause);
    const error = await failure(running.exited);
    expect(error).toBeInstanceOf(MemberExited);
    expect(error).toMatchObject({ member: "store", cause, message: "house: store ended: disk full" });
    expect(events.slice(-4)).toEqual(["api is asked to stop", "api ended", "bus is asked to stop", "bus ended"]);
  });

  test("ends as a whole when a member ends without any error", async () => {
    const { members, running } = three();
    await allReady(members);
    await running.ready;
    members[0]?.end();
    expect((await failure(running.exited))?.message).toBe("house: bus ended unasked");
  });

  test("does not start the rest when a member fails before it is ready", async () => {
    const { events, members, running } = three();
    await until(() => members[0]?.runs === 1, { what: "the first runs" });
    members[0]?.becomeReady();
    await until(() => members[1]?.runs === 1, { what: "the second runs" });
    members[1]?.end(new Error("port in use"));
    expect((await failure(running.ready))?.message).toBe("house: store ended: port in use");
    expect(events).not.toContain("api starts");
    expect(events.at(-1)).toBe("bus ended");
  });

  test("notices that an earlier member dies while a later one gets ready", async () => {
    const { members, running } = three();
    await until(() => members[0]?.runs === 1, { what: "the first runs" });
    members[0]?.becomeReady();
    await until(() => members[1]?.runs === 1, { what: "the second runs" });
    members[0]?.end(new Error("lost"));
    expect((await failure(running.exited))?.member).toBe("bus");
    expect(members[2]?.runs).toBe(0);
  });

  test("can be stopped while it still starts", async () => {
    const { events, members, running } = three();
    await until(() => members[0]?.runs === 1, { what: "the first runs" });
    await running.stop();
    expect(await failure(running.exited)).toBeUndefined();
    expect(events).toEqual(["bus starts", "bus is asked to stop", "bus ended"]);
  });

  test("of nobody is ready at once", async () => {
    const running = start(group("empty", []));
    await running.ready;
    await running.stop();
  });
});
