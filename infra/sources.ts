import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { SpecError } from "../roles/problem.ts";
import { type ClusterSpec, parseCluster } from "../roles/spec.ts";
import type { Bundle } from "./bundle.ts";

// What the program reads from files. A RunError is shown by the engine without a stack trace: it is for the person.

/** A `cluster.yaml`. Throws RunError with every problem. */
export function readCluster(file: string): ClusterSpec {
  try {
    return parseCluster(read(file, "write one, or name another with TUTTI_SPEC; examples are in examples/"), file);
  } catch (error) {
    if (error instanceof SpecError) throw new RunError(`${error.message}\n${error.hint}`);
    throw error;
  }
}

/** `tutti-agent-<version>-<architecture>-<first digits of the SHA-256>.tar.gz` and the like. */
const bundleName = /^tutti-agent-(\d+\.\d+\.\d+[^-]*)-.*\.(?:tar\.gz|tgz|tar)$/;

/** A bundle by its file, or the newest one of a directory. Throws RunError with how to make one. */
export function readBundle(path: string): Bundle {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? newest(path) : path;
  const bytes = readBytes(file, "make the agent bundle first, or name one with TUTTI_BUNDLE");
  const version = bundleName.exec(file.split("/").at(-1) ?? "")?.[1] ?? "0.0.0";
  return { version, sha256: createHash("sha256").update(bytes).digest("hex"), file: resolve(file) };
}

function newest(directory: string): string {
  const files = readdirSync(directory).filter((name) => bundleName.test(name));
  const [first] = files
    .map((name) => join(directory, name))
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  return first ?? join(directory, "tutti-agent-*.tar.gz");
}

/** A public key: the text itself, or the text of the file that is named, relative to the spec's directory. */
export function readPublicKey(key: string, directory: string): string {
  if (/^(ssh|ecdsa|sk)-\S+ \S+/.test(key)) return key.trim();
  const file = resolve(directory, key.replace(/^~(?=\/)/, homedir()));
  const text = read(file, "make a key with ssh-keygen, or name another in aws.ssh.key").trim();
  if (/^(ssh|ecdsa|sk)-\S+ \S+/.test(text)) return text;
  throw new RunError(`aws.ssh.key: ${file} is no public key: name the file that ends in .pub`);
}

/** Directory against which a spec's paths are meant. */
export function directoryOf(spec: ClusterSpec | string): string {
  return typeof spec === "string" ? dirname(resolve(spec)) : process.cwd();
}

function read(file: string, hint: string): string {
  return readBytes(file, hint).toString("utf8");
}

function readBytes(file: string, hint: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "is not there" : (error as Error).message;
    throw new RunError(`${file} ${reason}: ${hint}`);
  }
}
