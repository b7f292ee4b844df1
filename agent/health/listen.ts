import type { Bus } from "../bus/bus.ts";
import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { healthOf, statusOf } from "./answers.ts";
import type { Counters } from "./counters.ts";
import type { Mind } from "./mind.ts";
import type { Reader } from "./reader.ts";
import type { Speaker } from "./speaker.ts";

export interface Ears {
  bus: Bus;
  mind: Mind;
  reader: Reader;
  speaker: Speaker;
  counters: Counters;
  now: () => number;
  leads: () => boolean;
}

/** Hears the bus for the mind. Every copy listens; only the one that leads answers: the first answer wins, so it must be right. */
export function listener(ears: Ears): Runner {
  return {
    name: "health listener",
    async run(stop, ready) {
      if (stop.aborted) return;
      const hearing = [...events(ears), ...questions(ears)];
      const unwatch = ears.bus.onConnection((connected) => connection(ears, connected));
      // Only now: the heartbeats this calls for must find us listening.
      ears.bus.publish(subjects.healthmanagerStart, {});
      ears.reader.poke();
      ready();
      await stopped(stop);
      unwatch();
      for (const one of hearing) one.stop();
      await ears.reader.stop();
    },
  };
}

function events({ bus, mind, reader, speaker, counters, now, leads }: Ears) {
  return [
    bus.subscribe(subjects.deaHeartbeat, (heartbeat) => {
      counters.heartbeat_msgs_received++;
      mind.heartbeat(heartbeat, now());
    }),
    bus.subscribe(subjects.dropletExited, (exit) => {
      counters.droplet_exited_msgs_received++;
      speaker.say(mind.exited(exit, now(), leads()));
    }),
    bus.subscribe(subjects.dropletUpdated, ({ droplet }) => {
      counters.droplet_updated_msgs_received++;
      mind.updated(droplet, now());
      reader.soon();
    }),
  ];
}

function questions({ bus, mind, counters, now, leads }: Ears) {
  const knows = () => leads() && mind.deaf(now()) === undefined;
  return [
    bus.subscribe(subjects.healthmanagerHealth, (question, message) => {
      counters.healthmanager_health_request_msgs_received++;
      if (!knows() || !message.wantsReply) return;
      for (const answer of healthOf(question, mind.picture.apps)) message.reply(answer);
    }),
    bus.subscribe(subjects.healthmanagerStatus, (question, message) => {
      counters.healthmanager_status_msgs_received++;
      const answer = knows() ? statusOf(question, mind.picture.apps, mind.times) : undefined;
      if (answer && message.wantsReply) message.reply(answer);
    }),
  ];
}

function connection({ bus, mind, reader, now }: Ears, connected: boolean): void {
  mind.connection(connected, now());
  if (!connected) return;
  bus.publish(subjects.healthmanagerStart, {});
  reader.soon();
}
