import importPlugin from "eslint-plugin-import";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** What may not import what: protocol ← sdk ← web, and inside web ui ← features ← app. */
const LAYERS = [
  { target: "./protocol", from: ["./sdk", "./web"] },
  { target: "./sdk", from: "./web" },
  { target: "./web/src/ui", from: ["./web/src/features", "./web/src/app"] },
  { target: "./web/src/features", from: "./web/src/app" },
];

export default defineConfig(
  globalIgnores(["**/node_modules", "**/dist", "protocol/src/generated.ts", "web/public", "eslint-resolver.cjs"]),
  tseslint.configs.strict,
  {
    files: ["**/*.{ts,tsx}"],
    plugins: { import: importPlugin },
    settings: { "import/resolver": { [`${import.meta.dirname}/eslint-resolver.cjs`]: {} } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      complexity: ["error", { max: 8, variant: "modified" }],
      "max-depth": ["error", 3],
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 80],
      "max-params": ["error", 6],
      "no-console": "error",
      "import/no-cycle": "error",
      "import/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones: LAYERS }],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "No HTML that somebody else wrote." },
      ],
    },
  },
  {
    files: ["web/**/*.tsx"],
    extends: [a11y.flatConfigs.strict, hooks.configs.flat["recommended-latest"]],
    // Each `&&` in markup counts as a branch, so a component may have some more.
    rules: { complexity: ["error", { max: 12, variant: "modified" }] },
  },
  {
    files: ["**/test/**"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off", "max-lines": ["error", 600] },
  },
);
