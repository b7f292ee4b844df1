import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Real servers and package managers share two cores with us.
    maxWorkers: 2,
    pool: "forks",
  },
});
