import { defineConfig } from "vitest/config";

export default defineConfig({
  root: new URL("..", import.meta.url).pathname,
  test: {
    include: ["{packages,converter,demo,examples}/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/build-harness.ts"],
    reporters: ["default", "./test/closing-line-reporter.ts"],
    testTimeout: 120_000, // SwiftShader computes on the CPU, and compiles its first shaders there
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
