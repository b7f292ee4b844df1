import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { Command } from "./commands.ts";
import { BootstrapFault } from "./fault.ts";
import type { HostKey } from "./hostKey.ts";
import { lost, refusedChannel } from "./sshFault.ts";

export interface Answer {
  /** Undefined when a signal ended the command. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

export interface Session {
  readonly hostKey: HostKey;
  /** Runs a command to its end, with `stdin` on its standard input. Rejects with `ssh_lost` when the connection ends before. */
  exec(command: Pick<Command, "command" | "stdin">, onOut?: (text: string) => void): Promise<Answer>;
  /** A connection to a port of the machine's own loopback. */
  forward(port: number): Promise<Duplex>;
  /** Channels opened so far: each costs a round trip. */
  trips(): number;
  close(): void;
}

/** What can be done over a connection that stands. */
export function sessionOf(client: Client, hostKey: HostKey): Session {
  let opened = 0;
  // What is done with a channel begins in the callback itself: an answer may have come in the same packet.
  const open = <T>(how: (done: ChannelCallback) => void, use: (channel: ClientChannel) => T | Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      opened++;
      how((error, channel) => (error ? reject(error) : resolve(use(channel))));
    }).catch((error: Error) => {
      throw error instanceof BootstrapFault ? error : refusedChannel(error);
    });
  return {
    hostKey,
    trips: () => opened,
    close: () => void client.end(),
    exec: ({ command, stdin = "" }, onOut) =>
      open(
        (done) => client.exec(command, done),
        (channel) => {
          const answer = answerOf(channel, onOut);
          channel.end(stdin);
          return answer;
        },
      ),
    forward: (port) =>
      open<Duplex>(
        (done) => client.forwardOut("127.0.0.1", 0, "127.0.0.1", port, done),
        (channel) => channel,
      ),
  };
}

type ChannelCallback = (error: (Error & { reason?: number | string }) | undefined, channel: ClientChannel) => void;

function answerOf(channel: ClientChannel, onOut?: (text: string) => void): Promise<Answer> {
  const said = { out: "", err: "" };
  let ended: { code: number | undefined } | undefined;
  channel.setEncoding("utf8").on("data", (text: string) => {
    if (onOut) onOut(text);
    else said.out += text;
  });
  channel.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  // What a command does not care to read is no error.
  channel.on("error", () => {});
  channel.once("exit", (code: number | null) => {
    ended = { code: code ?? undefined };
  });
  return new Promise((resolve, reject) => {
    channel.once("close", () => (ended ? resolve({ ...ended, ...said }) : reject(lost())));
  });
}
