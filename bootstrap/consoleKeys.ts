import { type HostKey, readHostKey } from "./hostKey.ts";

const begin = "-----BEGIN SSH HOST KEY KEYS-----";
const end = "-----END SSH HOST KEY KEYS-----";

/**
 * The host keys that cloud-init printed on a machine's console. The newest block counts, because a machine that got new
 * keys prints them again. What is torn (a block without its end, a line with the kernel's words in it) is passed over:
 * a key that is not whole is no key.
 */
export function keysOnConsole(text: string): HostKey[] {
  const blocks = text.split(begin).slice(1);
  const whole = blocks
    .filter((block) => block.includes(end))
    .map((block) => keysIn(block.slice(0, block.indexOf(end))));
  return whole.findLast((keys) => keys.length > 0) ?? [];
}

function keysIn(block: string): HostKey[] {
  const found = block.split(/[\r\n]+/).flatMap((line) => {
    // systemd and the kernel's clock may stand in front, the key's comment behind.
    const [, type, base64] = /(?:^|\s)((?:ssh|ecdsa)-[a-z0-9-]+) ([A-Za-z0-9+/=]+)(?:\s|$)/.exec(line) ?? [];
    const key = type && base64 ? readHostKey(type, base64) : undefined;
    return key ? [key] : [];
  });
  return [...new Map(found.map((key) => [key.blob, key])).values()];
}

/** True when the boot is over: keys that the console does not have by now will not come. */
export function bootIsOver(text: string): boolean {
  return /Cloud-init v\. \S+ finished|tutti-boot-result: \{[^\n]*"state":"(done|failed)"/.test(text);
}
