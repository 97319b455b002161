import type { ToolItem } from "@outrider/sdk";
import { describe, expect, it } from "vitest";

import { objectOf } from "@/features/session/toolObject";
import { resultOf } from "@/features/session/toolResult";

const CALL: ToolItem = {
  kind: "tool",
  key: "tool-x",
  after: 1,
  at: "2026-01-01T00:00:00Z",
  turn: "t",
  toolCall: "x",
  title: "title",
  tool: "other",
  status: "completed",
  paths: [],
  input: "",
  content: [],
  endedAt: "2026-01-01T00:00:01Z",
  asked: false,
  log: null,
  refused: false,
  cutOff: false,
};
const DIFF = "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n+b\n+c\n";

describe("the object of a tool call", () => {
  it.each<[string, Partial<ToolItem>, string]>([
    ["a command", { tool: "execute", input: '{"command":"ls -l"}' }, "ls -l"],
    ["paths below the workspace", { tool: "read", paths: ["/workspace/a.py", "/etc/hosts"] }, "a.py, /etc/hosts"],
    ["what is searched for", { tool: "search", title: "TODO", paths: ["/workspace"] }, "TODO"],
    ["our own tool in words", { title: "outrider_run_checks" }, "run checks"],
    ["not known yet where the title only says the kind", { tool: "edit", title: "edit" }, "…"],
    ["the title where the input is no JSON", { tool: "execute", input: "{" }, "title"],
  ])("is %s", (_, change, object) => {
    expect(objectOf({ ...CALL, ...change })).toBe(object);
  });
});

describe("the result of a tool call", () => {
  it.each<[string, Partial<ToolItem>, ReturnType<typeof resultOf>]>([
    ["lines of a diff", { content: [{ type: "diff", path: "x", diff: DIFF, truncated: false }] }, { added: 2, deleted: 1 }],
    ["how much came back", { content: [{ type: "text", text: "a\nb\n", truncated: false }] }, { word: "2 lines", tone: "plain" }],
    ["a failure", { status: "failed" }, { word: "failed", tone: "fail" }],
    ["our refusal", { status: "failed", refused: true }, { word: "not allowed", tone: "warn" }],
    ["the end of the turn before its own", { status: "in_progress", cutOff: true }, { word: "cut off", tone: "warn" }],
    ["nothing while it runs", { status: "in_progress", endedAt: null }, null],
  ])("is %s", (_, change, result) => {
    expect(resultOf({ ...CALL, ...change })).toEqual(result);
  });
});
