import { createServer, type Socket, type Server as TcpServer } from "node:net";
import type { ParsedKey } from "ssh2";
import ssh2 from "ssh2";
import { type HostKey, hostKeyOf } from "../../bootstrap/hostKey.ts";

/** An ssh server of our own, for what a real one would not do. */
export interface FakeSsh {
  readonly port: number;
  readonly hostKeys: readonly HostKey[];
  /** Attempts to log in, and commands that were run: a client that knows better makes none. */
  readonly seen: string[];
  close(): Promise<void>;
}

export interface FakeSshOptions {
  /** Kinds of fresh host keys: ed25519, ecdsa, rsa. */
  readonly kinds?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Shows this public key, without having its private one. */
  readonly pretends?: HostKey;
  /** Algorithms to which its host keys are restricted. */
  readonly algorithms?: readonly string[];
  readonly port?: number;
}

const sizes = { ed25519: {}, ecdsa: { bits: 256 }, rsa: { bits: 2048 } } as const;

export async function fakeSsh({
  kinds = ["ed25519"],
  pretends,
  algorithms,
  port = 0,
}: FakeSshOptions = {}): Promise<FakeSsh> {
  const keys = kinds.map((kind) => freshKey(kind, pretends));
  const seen: string[] = [];
  const options = {
    hostKeys: keys.map((one) => ({ key: one as never })),
    ...(algorithms && { algorithms: { serverHostKey: algorithms as never } }),
  };
  const server = new ssh2.Server(options, (client) => {
    client.on("error", () => {});
    client.on("authentication", (context) => {
      seen.push(`auth ${context.method}`);
      if (context.method === "publickey") context.accept();
      else context.reject(["publickey"]);
    });
    client.on("session", (accept) => {
      accept().on("exec", (take, _reject, { command }) => {
        seen.push(`exec ${command}`);
        const channel = take();
        channel.write("hello\n");
        channel.exit(0);
        channel.end();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    hostKeys: keys.map((key) => hostKeyOf(key.getPublicSSH())),
    seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function freshKey(kind: keyof typeof sizes, pretends: HostKey | undefined): ParsedKey {
  let key: ParsedKey | Error;
  // Now and then ssh2 makes a key that it cannot read itself.
  do key = ssh2.utils.parseKey(ssh2.utils.generateKeyPairSync(kind, sizes[kind] as never).private);
  while (key instanceof Error);
  if (pretends) key.getPublicSSH = () => Buffer.from(pretends.blob, "base64");
  return key;
}

/** A port that answers as it is told. */
export async function tcp(answer: (socket: Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: TcpServer = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port: (server.address() as { port: number }).port, close };
}
