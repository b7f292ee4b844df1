import { expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { busContract } from "./bus.contract.ts";

busContract("in memory", async () => {
  const net = memoryNet();
  const problems: string[] = [];
  return {
    join: async () => net.join((problem) => problems.push(problem)),
    problems: () => problems,
    close: async () => {},
  };
});

test("a member that is cut off neither hears nor speaks, and is told of both turns", async () => {
  const net = memoryNet();
  const [one, two] = [net.join(), net.join()];
  const heard: string[] = [];
  const turns: boolean[] = [];
  one.subscribe(subjects.dropletUpdated, ({ droplet }) => heard.push(droplet));
  const unwatch = one.onConnection((connected) => turns.push(connected));
  const say = (droplet: string) => two.publish(subjects.dropletUpdated, { droplet, cc_partition: "default" });
  one.disconnect();
  say("lost");
  await two.flush();
  one.reconnect();
  say("heard");
  await two.flush();
  expect(heard).toEqual(["heard"]);
  unwatch();
  one.disconnect();
  expect(turns).toEqual([false, true]);
});
