import { once } from "node:events";
import { connect } from "node:net";
import { Fault } from "../run/fault.ts";

/** HAProxy's command socket: one lasting connection, commands answered in order. */
export interface CommandSocket {
  /** Sends commands at once, without waiting between them; answers in the same order. Rejects when HAProxy is gone. */
  ask(commands: readonly string[]): Promise<string[]>;
  close(): void;
}

const prompt = "\n> ";

/** Connects and switches HAProxy to prompts, which mark the end of each answer. Rejects when nobody listens. */
export async function commandSocket(path: string): Promise<CommandSocket> {
  const socket = connect(path).setEncoding("utf8");
  await once(socket, "connect");
  const waiting: { resolve: (answer: string) => void; reject: (error: Error) => void }[] = [];
  let text = "";
  socket.on("data", (chunk: string) => {
    // The mark may arrive in two pieces; what was searched before is not searched again.
    const from = Math.max(0, text.length - prompt.length);
    text += chunk;
    for (let end = text.indexOf(prompt, from); end >= 0; end = text.indexOf(prompt)) {
      waiting.shift()?.resolve(text.slice(0, end));
      text = text.slice(end + prompt.length);
    }
  });
  const gone = () => {
    const fault = new Fault("HAProxy has closed its command socket", { code: "haproxy_gone" });
    for (const one of waiting.splice(0)) one.reject(fault);
  };
  socket.on("error", () => socket.destroy());
  socket.on("close", gone);
  const ask = (commands: readonly string[]) => {
    const answers = commands.map(() => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      waiting.push({ resolve, reject });
      promise.catch(() => {});
      return promise;
    });
    if (socket.destroyed) gone();
    else if (commands.length > 0) socket.write(`${commands.join("\n")}\n`);
    return Promise.all(answers);
  };
  await ask(["prompt"]);
  return { ask, close: () => socket.destroy() };
}
