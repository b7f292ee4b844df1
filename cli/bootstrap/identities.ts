import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { agentOffer, type Offer, readPrivateKey } from "../../bootstrap/ssh.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import type { Io } from "../io.ts";
import { askHidden } from "../prompt.ts";

/** As ssh looks for them; the last is where the keys of EC2 were kept in 2012. */
const usual = [".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa", ".ec2/default.pem"];

/** What is offered for authentication: the key that was named, then the agent's; else the agent's, then the usual files. */
export async function identities(call: Call): Promise<Offer[]> {
  const { io } = call;
  const socket = io.env["SSH_AUTH_SOCK"];
  const agent = socket ? await agentOffer(socket) : undefined;
  const agents = agent ? [agent] : [];
  const named = call.text("identity");
  if (named !== undefined) return [await fromFile(io, named), ...agents];
  const files = usual.map((file) => join(io.env["HOME"] || homedir(), file)).filter((file) => existsSync(file));
  const held = new Set(agent?.fingerprints);
  const found = files.map((file) => ({ file, key: readPrivateKey(file, read(file)) }));
  const open = found.flatMap(({ key }) =>
    typeof key === "object" && !key.fingerprints.some((one) => held.has(one)) ? [key] : [],
  );
  const closed = found.find(({ key }) => key === "encrypted");
  // A passphrase is asked for only where nothing else could let us in.
  if (!agent && open.length === 0 && closed && io.stdin.isTTY) return [await fromFile(io, closed.file)];
  if (!agent && open.length === 0) throw noKeys(closed?.file);
  return [...agents, ...open];
}

function noKeys(closed: string | undefined): Fault {
  const message = closed
    ? `${closed} takes a passphrase, and there is no terminal to ask for it`
    : "there is no ssh key to log in with";
  return new Fault(message, {
    code: "ssh_no_keys",
    hint: closed
      ? `load it into your agent: ssh-add ${closed}`
      : "name one with --identity FILE, or load it into your agent: ssh-add FILE",
  });
}

async function fromFile(io: Io, file: string): Promise<Offer> {
  const text = read(file);
  let key = readPrivateKey(file, text);
  for (let left = 3; key === "encrypted" && left > 0; left--) {
    if (!io.stdin.isTTY) throw noKeys(file);
    key = readPrivateKey(file, text, await askHidden(io, `Passphrase of ${file}: `));
  }
  if (key === "encrypted")
    throw new Fault(`that is not the passphrase of ${file}`, { code: "bad_passphrase", hint: "try again" });
  if (key) return key;
  throw new Fault(`${file} is no private key that ssh would take`, {
    code: "bad_identity",
    hint: "the file without .pub; keys of other programs: ssh-keygen -i",
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Fault(`${file} cannot be read: ${(cause as Error).message}`, {
      ...{ code: "bad_identity", cause },
      hint: "--identity FILE names a private key",
    });
  }
}
