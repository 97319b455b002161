import bash from "highlight.js/lib/languages/bash";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

const lowlight = createLowlight({
  bash,
  css,
  diff,
  go,
  ini,
  java,
  javascript,
  json,
  python,
  ruby,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});
lowlight.registerAlias({ ini: ["toml", "cfg", "editorconfig"] });

/** A run of text in one colour. */
export interface Token {
  readonly text: string;
  readonly className: string;
}

const LONGEST = 200_000;

/** The tokens of each line. What has no known language is one plain token a line. */
export function highlightLines(code: string, language: string): readonly (readonly Token[])[] {
  if (!lowlight.registered(language) || code.length > LONGEST) {
    return code.split("\n").map((text) => [{ text, className: "" }]);
  }
  const lines: Token[][] = [[]];
  walk(lowlight.highlight(language, code).children, "", lines);
  return lines;
}

/** The language of a file, by the end of its name. */
export function languageOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1).toLowerCase();
}

type Nodes = ReturnType<typeof lowlight.highlight>["children"];

function walk(nodes: Nodes, className: string, lines: Token[][]): void {
  for (const node of nodes) {
    if (node.type === "text") addText(node.value, className, lines);
    if (node.type === "element") walk(node.children as Nodes, classOf(node.properties.className), lines);
  }
}

function classOf(value: unknown): string {
  return Array.isArray(value) ? value.join(" ") : "";
}

function addText(text: string, className: string, lines: Token[][]): void {
  text.split("\n").forEach((part, i) => {
    if (i > 0) lines.push([]);
    if (part) lines.at(-1)?.push({ text: part, className });
  });
}
