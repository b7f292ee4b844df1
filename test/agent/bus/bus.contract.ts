import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Bus } from "../../../agent/bus/bus.ts";
import { at, type Subject } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { until } from "../../support/until.ts";

export interface TestNet {
  /** A new member of the same bus. */
  join(): Promise<Bus>;
  /** What was logged so far. */
  problems(): string[];
  close(): Promise<void>;
}

const loose: Subject<unknown, unknown> = {
  name: "droplet.updated",
  payload: z.unknown(),
  reply: z.unknown(),
  speakers: [],
  listeners: [],
  what: "anything",
};

const droplet = (name: string) => ({ droplet: name, cc_partition: "default" });

/** What every bus does, whatever is behind it. */
export function busContract(name: string, open: () => Promise<TestNet>): void {
  describe(`a bus (${name})`, () => {
    let net: TestNet;
    let one: Bus;
    let two: Bus;
    beforeEach(async () => {
      net = await open();
      [one, two] = [await net.join(), await net.join()];
    });
    afterEach(() => net.close());

    async function hear<P>(bus: Bus, subject: Subject<P, unknown>, options: { queue?: string } = {}) {
      const heard: P[] = [];
      bus.subscribe(subject, (payload) => heard.push(payload), options);
      await bus.flush();
      return heard;
    }

    test("brings a message to every listener, its own speaker included", async () => {
      const heard = [await hear(one, subjects.dropletUpdated), await hear(two, subjects.dropletUpdated)];
      one.publish(subjects.dropletUpdated, droplet("a"));
      await until(() => heard.every((list) => list.length === 1), { what: "both heard it" });
      expect(heard.flat()).toEqual([droplet("a"), droplet("a")]);
    });

    test("brings a message to one member of each queue group", async () => {
      const workers = [await hear(one, subjects.hmRequests), await hear(two, subjects.hmRequests)];
      const others = await hear(two, subjects.hmRequests, { queue: "others" });
      for (let i = 0; i < 40; i++) two.publish(subjects.hmRequests, { op: "START", droplet: `${i}`, last_updated: 0 });
      await until(() => workers.flat().length === 40 && others.length === 40, { what: "each group has heard all" });
      expect(new Set(workers.flat().map((request) => request.droplet)).size).toBe(40);
      expect(Math.min(...workers.map((list) => list.length))).toBeGreaterThan(0);
    });

    test("hears all values of an open token, and only the one that was filled in", async () => {
      const names: string[] = [];
      one.subscribe(subjects.log, (_lines, { subject }) => names.push(subject));
      const mine = await hear(one, at(subjects.log, { app: "a" }));
      for (const app of ["a", "b"])
        two.publish(at(subjects.log, { app }), { app, source: "API", instance: "", lines: [] });
      await until(() => names.length === 2, { what: "both apps were heard" });
      expect(names).toEqual(["tutti.v1.log.a", "tutti.v1.log.b"]);
      expect(mine.map(({ app }) => app)).toEqual(["a"]);
    });

    test("keeps the order of one speaker", async () => {
      const heard = await hear(one, subjects.dropletUpdated);
      for (let i = 0; i < 500; i++) two.publish(subjects.dropletUpdated, droplet(`${i}`));
      await until(() => heard.length === 500, { what: "all were heard" });
      expect(heard.map((message) => message.droplet)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
    });

    test("reads null as absent and ignores keys that it does not know", async () => {
      const heard = await hear(one, subjects.dropletUpdated);
      two.publish(loose, { droplet: 7, cc_partition: null, V1: { droplet: 8 } });
      await until(() => heard.length === 1, { what: "it was heard" });
      expect(heard).toEqual([droplet("7")]);
    });

    test("drops junk, tells it with its subject, and listens on", async () => {
      const heard = await hear(one, subjects.dropletUpdated);
      two.publish(loose, ["not", "an", "object"]);
      two.publish(loose, { cc_partition: "default" });
      two.publish(subjects.dropletUpdated, droplet("a"));
      await until(() => heard.length === 1, { what: "the good one was heard" });
      expect(net.problems().filter((problem) => problem.includes("droplet.updated"))).toHaveLength(2);
    });

    test("lives on when a handler throws or rejects, and tells it", async () => {
      const heard: string[] = [];
      one.subscribe(subjects.dropletUpdated, (message) => {
        heard.push(message.droplet);
        if (message.droplet === "a") throw new Error("thrown by a handler");
        return Promise.reject(new Error("rejected by a handler"));
      });
      await one.flush();
      for (const name of ["a", "b", "c"]) two.publish(subjects.dropletUpdated, droplet(name));
      await until(() => net.problems().length >= 3, { what: "the failures were told" });
      expect(heard).toEqual(["a", "b", "c"]);
      expect(net.problems().join()).toMatch(/thrown by a handler.*rejected by a handler/);
    });

    test("refuses to say what the subject does not know", () => {
      const wrong = { droplet: { no: "id" } } as unknown as ReturnType<typeof droplet>;
      expect(() => one.publish(subjects.dropletUpdated, wrong)).toThrow(/droplet/);
    });

    test("hears nothing more after a subscription was stopped", async () => {
      const stopped: unknown[] = [];
      const subscription = one.subscribe(subjects.dropletUpdated, (message) => stopped.push(message));
      const other = await hear(one, subjects.dropletUpdated);
      subscription.stop();
      await one.flush();
      two.publish(subjects.dropletUpdated, droplet("a"));
      await until(() => other.length === 1, { what: "the other heard it" });
      expect(stopped).toHaveLength(0);
    });

    test("answers nothing to a message without a reply subject", async () => {
      const wanted: boolean[] = [];
      const everything: string[] = [];
      two.subscribe({ ...loose, name: ">" }, (_any, { subject }) => everything.push(subject));
      one.subscribe(subjects.routerGreet, (_nothing, message) => {
        wanted.push(message.wantsReply);
        message.reply({ id: "r", hosts: [], minimumRegisterIntervalInSeconds: 20, pruneThresholdInSeconds: 120 });
      });
      await Promise.all([one.flush(), two.flush()]);
      two.publish(subjects.routerGreet, {});
      two.publish(subjects.dropletUpdated, droplet("last"));
      await until(() => everything.includes("droplet.updated"), { what: "the last message was heard" });
      expect(wanted).toEqual([false]);
      expect(everything).toEqual(["router.greet", "droplet.updated"]);
    });

    const hello = (id: string) => ({ id, ip: "127.0.0.1", port: 0, version: "1" });
    const offers = async (bus: Bus, ...ids: string[]) => {
      bus.subscribe(subjects.deaDiscover, (_asked, message) => {
        for (const id of ids) message.reply(hello(id));
      });
      await bus.flush();
    };
    const asked = { droplet: "a", name: "", limits: { mem: 1, disk: 1, fds: 1 }, runtime: "", prod: false, sha: "" };

    test("takes the first answer to a request", async () => {
      await offers(one, "first", "second");
      expect(await two.request(subjects.deaDiscover, asked, { timeout: 5000 })).toEqual(hello("first"));
    });

    test("gives up a request when nobody answers in time", async () => {
      one.subscribe(subjects.deaDiscover, () => {});
      await one.flush();
      expect(await two.request(subjects.deaDiscover, asked, { timeout: 50 })).toBeUndefined();
    });

    test("gathers what several members answer until the time is over", async () => {
      await offers(one, "a", "b");
      await offers(two, "c");
      const answers = await two.gather(subjects.deaDiscover, asked, { timeout: 300 });
      expect(answers.map(({ id }) => id).sort()).toEqual(["a", "b", "c"]);
    });

    test("stops gathering when as many answers are there as were expected", async () => {
      await offers(one, "a", "b", "c");
      const began = performance.now();
      const answers = await two.gather(subjects.deaDiscover, asked, { timeout: 20_000, expected: 2 });
      expect(answers.map(({ id }) => id)).toEqual(["a", "b"]);
      expect(performance.now() - began).toBeLessThan(10_000);
    });

    test("sends nothing at all when no answer is expected", async () => {
      const heard = await hear(one, subjects.deaDiscover);
      expect(await two.gather(subjects.deaDiscover, asked, { timeout: 20_000, expected: 0 })).toEqual([]);
      two.publish(subjects.deaDiscover, { ...asked, droplet: "after" });
      await until(() => heard.length > 0, { what: "the message after it was heard" });
      expect(heard.map((message) => message.droplet)).toEqual(["after"]);
    });

    test("finishes at once, with no answer, when nobody listens", async () => {
      const began = performance.now();
      expect(await two.gather(subjects.deaDiscover, asked, { timeout: 20_000 })).toEqual([]);
      expect(await two.request(subjects.deaDiscover, asked, { timeout: 20_000 })).toBeUndefined();
      expect(performance.now() - began).toBeLessThan(10_000);
      expect(net.problems()).toEqual([]);
    });

    test("passes over an answer that cannot be read", async () => {
      one.subscribe({ ...loose, name: subjects.deaDiscover.name }, (_asked, message) => {
        message.reply("junk");
        message.reply(hello("good"));
      });
      await one.flush();
      expect(await two.request(subjects.deaDiscover, asked, { timeout: 5000 })).toEqual(hello("good"));
    });

    test("tells nobody's silence from an answer when the sender named a reply subject of its own", async () => {
      const inbox = await hear(two, { ...loose, name: "cc.staging.x" });
      two.publish(subjects.deaDiscover, asked, { reply: "cc.staging.x" });
      two.publish({ ...loose, name: "cc.staging.x" }, { last: true });
      await until(() => inbox.length > 0, { what: "the last message was heard" });
      expect(inbox).toEqual([{ last: true }]);
    });

    test("says what was under way before it leaves, and may be left twice", async () => {
      const heard = await hear(one, subjects.dropletUpdated);
      for (let i = 0; i < 100; i++) two.publish(subjects.dropletUpdated, droplet(`${i}`));
      await two.close();
      await two.close();
      await until(() => heard.length === 100, { what: "all were heard" });
      expect(two.connected).toBe(false);
      two.publish(subjects.dropletUpdated, droplet("late"));
      expect(await two.gather(subjects.deaDiscover, asked, { timeout: 10 })).toEqual([]);
    });
  });
}
