import type { ToolItem } from "@outrider/sdk";

import { count } from "@/ui/format";

type Result =
  | { readonly word: string; readonly tone: "plain" | "fail" | "warn" }
  | { readonly added: number; readonly deleted: number };

/** What came of a tool call, in a word or two. */
export function resultOf(item: ToolItem): Result | null {
  if (item.refused) return { word: "not allowed", tone: "warn" };
  if (item.cutOff) return { word: "cut off", tone: "warn" };
  if (item.status === "failed") return { word: "failed", tone: "fail" };
  const diffs = item.content.flatMap((part) => (part.type === "diff" ? [part.diff] : []));
  if (diffs.length > 0) return { added: countLines(diffs, "+"), deleted: countLines(diffs, "-") };
  if (item.endedAt === null) return null;
  return { word: item.tool === "execute" ? "done" : lines(item), tone: "plain" };
}

function countLines(diffs: readonly string[], sign: string): number {
  const isHeader = (line: string): boolean => line.startsWith("+++ ") || line.startsWith("--- ");
  const lines = diffs.flatMap((diff) => diff.split("\n"));
  return lines.filter((line) => line.startsWith(sign) && !isHeader(line)).length;
}

function lines(item: ToolItem): string {
  const text = item.content.map((part) => (part.type === "text" ? part.text : "")).join("");
  if (!text) return "done";
  return count(text.replace(/\n$/, "").split("\n").length, "line");
}
