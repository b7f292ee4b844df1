import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A file of tools/: plain JavaScript without types, because the Node of a bare machine runs it. */
export async function tool<T>(file: string): Promise<T> {
  return (await import(/* @vite-ignore */ new URL(`../../tools/${file}`, import.meta.url).href)) as T;
}

/** A machine as set-up sees it: a PATH that has only what is put there. */
export interface Bare {
  /** A directory of its own. */
  readonly work: string;
  /** Puts a program of the real machine there. */
  link(...names: string[]): void;
  /** Puts a shell script there. */
  script(name: string, body: string): void;
  gone(): void;
}

export function bareMachine(): Bare {
  const work = mkdtempSync(join(tmpdir(), "tutti-bare-"));
  const bin = join(work, "path");
  mkdirSync(bin);
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = bin;
  const real = (name: string) => {
    const found = ["/usr/bin", "/bin", ...before.split(delimiter)].map((each) => join(each, name));
    return found.find((path) => existsSync(path)) ?? name;
  };
  return {
    work,
    link: (...names) => {
      for (const name of names) symlinkSync(real(name), join(bin, name));
    },
    script: (name, body) => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(bin, name), 0o755);
    },
    gone: () => {
      process.env["PATH"] = before;
      rmSync(work, { recursive: true, force: true });
    },
  };
}
