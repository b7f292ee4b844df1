import { memoryNet } from "../../../agent/bus/memory.ts";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { dea } from "../../../agent/dea/dea.ts";
import type { DeaOptions } from "../../../agent/dea/options.ts";
import { silent } from "../../../agent/run/log.ts";
import { start } from "../../../agent/run/runner.ts";

// The process that hosts a DEA in tests of its sudden end: everything heard on its bus goes to the parent.
const net = memoryNet();
const ear = net.join();
const say = (message: object) => process.send?.(message);
for (const subject of Object.values(subjects))
  ear.subscribe(subject as never, (payload: unknown, { subject: name }: { subject: string }) => {
    say({ heard: { subject: name, payload } });
  });

const options = JSON.parse(process.argv[2] ?? "{}") as DeaOptions;
const running = start(dea({ ...options, bus: net.join(), log: silent }));

process.on("message", async (message: { id?: string; start?: object; stop?: true }) => {
  if (message.stop) {
    await running.stop();
    process.exit(0);
  }
  const subject = at(subjects.deaUuidStart, { uuid: message.id ?? "" });
  if (message.start) say({ answer: await ear.request(subject, message.start as never, { timeout: 2000 }) });
});
await running.ready;
