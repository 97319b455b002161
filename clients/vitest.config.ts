import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "sdk", root: "sdk", include: ["test/**/*.test.ts"] } },
      { extends: "./web/vite.config.ts", test: { name: "web", root: "web", include: ["test/**/*.test.ts"] } },
      {
        extends: "./web/vite.config.ts",
        test: { name: "page", root: "web", include: ["test/**/*.test.tsx"], environment: "jsdom" },
      },
    ],
  },
});
