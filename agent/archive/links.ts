import { BadArchive, shown } from "./bad.ts";

/** Linux follows 40 links and then calls it a loop. */
const hops = 40;

/**
 * Refuses a symlink that leaves the tree. The target is walked as the kernel would walk it, through the archive's
 * other links: `a/link/../x` is not `a/x` when `a/link` points somewhere else.
 */
export function checkLink(name: string, target: string, links: ReadonlyMap<string, string>): void {
  const refuse = (why: string) =>
    new BadArchive("bad_link", `the symlink ${shown(name)} points to ${shown(target)}: ${why}`);
  if (target === "" || target.includes("\0")) throw refuse("that is no path");
  const at = name.split("/").slice(0, -1);
  const ahead = target.split("/");
  if (target.startsWith("/")) throw refuse("that is an absolute path");
  let followed = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) throw refuse("that is outside the app");
      continue;
    }
    at.push(part);
    const next = links.get(at.join("/"));
    if (next === undefined) continue;
    if (++followed > hops) throw refuse("it goes round in circles");
    if (next.startsWith("/")) throw refuse("on its way it meets a link with an absolute path");
    at.pop();
    ahead.unshift(...next.split("/"));
  }
}
