/** Finds our own modules for eslint-plugin-import: `@/…` in the web client, our packages, and relative paths. */
const { existsSync, statSync } = require("node:fs");
const path = require("node:path");

const ENDINGS = ["", ".ts", ".tsx", "/index.ts"];

exports.interfaceVersion = 2;

exports.resolve = (source, file) => {
  const base = place(source, file);
  const found = base && ENDINGS.map((ending) => base + ending).find((each) => existsSync(each) && statSync(each).isFile());
  return found ? { found: true, path: found } : { found: false };
};

function place(source, file) {
  if (source.startsWith(".")) return path.resolve(path.dirname(file), source);
  if (source.startsWith("@/")) return path.join(__dirname, "web/src", source.slice(2));
  if (source.startsWith("@outrider/")) return path.join(__dirname, source.slice("@outrider/".length), "src");
  return null;
}
