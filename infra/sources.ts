import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { RunError } from "@pulumi/pulumi/errors.js";
import type { Architecture } from "../roles/instanceTypes.ts";
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
const bundleName = /^tutti-agent-(\d+\.\d+\.\d+[^-]*)-(x64|arm64)-.*\.(?:tar\.gz|tgz|tar)$/;

/**
 * A bundle by its file, or the newest one of a directory that is for the architecture: it has a Node in it. Throws
 * RunError with how to make one.
 */
export function readBundle(path: string, architecture: Architecture): Bundle {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? newest(path, architecture) : path;
  const hint = `make it (node tools/bundle.mjs --architecture ${architecture}), or name another with TUTTI_BUNDLE`;
  const bytes = readBytes(file, hint);
  const [, version = "0.0.0", made = architecture] = bundleName.exec(basename(file)) ?? [];
  if (made !== architecture) throw new RunError(`${file} is for ${made}, aws.architecture is ${architecture}: ${hint}`);
  return { version, sha256: createHash("sha256").update(bytes).digest("hex"), file: resolve(file) };
}

function newest(directory: string, architecture: Architecture): string {
  const files = readdirSync(directory).filter((name) => bundleName.exec(name)?.[2] === architecture);
  const [first] = files
    .map((name) => join(directory, name))
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  return first ?? join(directory, `tutti-agent-*-${architecture}-*.tar.gz`);
}

const publicKey = /^(ssh|ecdsa|sk)-\S+ \S+/;

/** A public key: the text itself, or the text of the file that is named, relative to the spec's directory. */
export function readPublicKey(key: string, directory: string): string {
  if (publicKey.test(key)) return key.trim();
  const file = resolve(directory, key.replace(/^~(?=\/)/, homedir()));
  const make = `ssh-keygen -t ed25519 -f ${file.replace(/\.pub$/, "")}`;
  const text = read(file, `make one (${make}), or name another in aws.ssh.key or with TUTTI_SSH_KEY`).trim();
  if (publicKey.test(text)) return text;
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
