import type { Bus } from "../bus/bus.ts";
import type { RouterRegister, RouterStart } from "../bus/messages/router.ts";
import { subjects } from "../bus/subjects.ts";

/** Beats after which an unregister is said again: the first may be lost, and no router asks for it. */
const again = [1, 5, 20];

/** Beats between two registrations unless routers want to hear more often. */
const usual = 20;

export interface Routes {
  /** Says that the address serves these names. */
  register(message: RouterRegister): void;
  /** Says that it does so no longer, now or when the bus is back, and some more times. `told` runs once. */
  unregister(message: RouterRegister, told?: () => void): void;
  /** A router tells how often it wants to hear from us; the smallest wish counts. */
  heard(start: RouterStart): void;
  /** Says farewells that are due. */
  tick(now: number): void;
  /** The bus is back: says the farewells that nobody heard. */
  back(now: number): void;
  /** Beats. */
  readonly interval: number;
}

interface Farewell {
  message: RouterRegister;
  since: number;
  turn: number;
  told: boolean;
  onTold: () => void;
}

export function routes({ bus, beat }: { bus: Bus; beat: number }): Routes {
  const wishes = new Map<string, number>();
  const served = new Map<number, Set<string>>();
  let farewells: Farewell[] = [];
  const say = async (one: Farewell) => {
    // A name that the same address serves again must stay.
    const uris = one.message.uris.filter((uri) => !served.get(one.message.port)?.has(uri));
    if (!bus.connected) return;
    if (uris.length > 0) bus.publish(subjects.routerUnregister, { ...one.message, uris });
    if (one.told) return;
    await bus.flush();
    if (!bus.connected || one.told) return;
    one.told = true;
    one.onTold();
  };
  const sayQuietly = (one: Farewell) => void say(one).catch(() => {});
  return {
    register(message) {
      const names = served.get(message.port) ?? new Set();
      for (const uri of message.uris) names.add(uri);
      served.set(message.port, names);
      if (bus.connected && message.uris.length > 0) bus.publish(subjects.routerRegister, message);
    },
    unregister(message, onTold = () => {}) {
      const names = served.get(message.port);
      for (const uri of message.uris) names?.delete(uri);
      if (names?.size === 0) served.delete(message.port);
      const farewell = { message, since: performance.now(), turn: 0, told: false, onTold };
      farewells.push(farewell);
      sayQuietly(farewell);
    },
    heard({ id, minimumRegisterIntervalInSeconds }) {
      wishes.set(id, Math.max(1, minimumRegisterIntervalInSeconds));
    },
    tick(now) {
      const due = farewells.filter((one) => bus.connected && now - one.since >= (again[one.turn] ?? 0) * beat);
      for (const one of due) {
        one.turn += 1;
        sayQuietly(one);
      }
      farewells = farewells.filter((one) => one.turn < again.length || !one.told);
    },
    back(now) {
      for (const one of farewells.filter((each) => !each.told)) {
        Object.assign(one, { since: now, turn: 0 });
        sayQuietly(one);
      }
    },
    get interval() {
      return Math.min(usual, ...wishes.values());
    },
  };
}
