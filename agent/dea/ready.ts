import http from "node:http";
import { connect } from "node:net";
import { sleep } from "../run/sleep.ts";

export interface Probe {
  type: string;
  endpoint: string;
  host: string;
  port: number;
}

/** Milliseconds until the next look: quick at first, because an app that is up soon shall be seen soon. */
export const pause = (turn: number) => Math.min(100, 5 * 1.2 ** turn);

/** Resolves true when the instance does its work, false when it has not within `timeout` ms or `stop` came first. */
export async function becomesReady(probe: Probe, timeout: number, stop: AbortSignal): Promise<boolean> {
  const end = performance.now() + timeout;
  for (let turn = 0; !stop.aborted && performance.now() < end; turn++) {
    if (await (probe.type === "http" ? answers(probe) : accepts(probe))) return true;
    await sleep(pause(turn), stop);
  }
  return false;
}

function accepts({ host, port }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const settle = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}

function answers({ host, port, endpoint }: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host, port, path: endpoint, timeout: 1000, agent: false }, (response) => {
      resolve(response.statusCode === 200);
      response.destroy();
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
  });
}
