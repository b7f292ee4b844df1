import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { offline } from "../../rehearsal/offline.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-offline-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const url = "http://127.0.0.1:5000";

describe("the environment of an engine that asks nobody in the world", () => {
  it("keeps everything the engine writes in one folder", () => {
    const { env } = offline({ folder, url });
    expect(env["PULUMI_HOME"]).toBe(join(folder, "pulumi"));
    expect(env["PULUMI_BACKEND_URL"]).toBe(`file://${join(folder, "state")}?metadata=skip`);
  });

  it("keeps a passphrase that only its owner reads, and keeps it the next time", () => {
    const path = offline({ folder, url }).env["PULUMI_CONFIG_PASSPHRASE_FILE"] ?? "";
    const first = readFileSync(path, "utf8");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(first.length).toBeGreaterThan(20);
    offline({ folder, url });
    expect(readFileSync(path, "utf8")).toBe(first);
  });

  it("leaves nothing in it of an account or another state", () => {
    vi.stubEnv("AWS_PROFILE", "production");
    vi.stubEnv("AWS_SESSION_TOKEN", "secret");
    vi.stubEnv("PULUMI_ACCESS_TOKEN", "secret");
    vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "other");
    const { env } = offline({ folder, url, region: "eu-west-1" });
    for (const key of ["AWS_PROFILE", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"])
      expect(env).not.toHaveProperty(key);
    expect(env).toMatchObject({ AWS_ENDPOINT_URL: url, AWS_REGION: "eu-west-1", AWS_CONFIG_FILE: "/dev/null" });
  });

  it("has an ssh key of its own, the same each time, unless one is given", () => {
    const path = offline({ folder, url }).env["TUTTI_SSH_KEY"] ?? "";
    const first = readFileSync(path, "utf8");
    // Type and 32 bytes, each with its length.
    expect(Buffer.from(first.split(" ")[1] ?? "", "base64")).toHaveLength(4 + 11 + 4 + 32);
    expect(readFileSync(offline({ folder, url }).env["TUTTI_SSH_KEY"] ?? "", "utf8")).toBe(first);
    vi.stubEnv("TUTTI_SSH_KEY", "/mine.pub");
    expect(offline({ folder, url }).env["TUTTI_SSH_KEY"]).toBe("/mine.pub");
  });

  it("uses the stand-in for the aws plugin only where the real one is not installed", () => {
    vi.stubEnv("PULUMI_HOME", join(folder, "nobody"));
    expect(offline({ folder, url }).plugin).toBe("rehearsed");
  });
});
