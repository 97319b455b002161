import type { Usage } from "@outrider/protocol";

import type { Handlers, Stamp } from "./handlers";
import { messageItem } from "./message";
import { NO_TEXT, seal } from "./text";
import type { Spending, ToolItem } from "./view";

export const foldEngine: Pick<
  Handlers,
  "text_sealed" | "tool_call_changed" | "tool_log_kept" | "plan_changed" | "permission_decided" | "usage_recorded"
> = {
  text_sealed: (state, event, stamp) => {
    const known = state.transcript.find(`message-${event.message}`, "message");
    const text = seal(known?.text ?? NO_TEXT, event.offset, event.text);
    if (known?.text.sealed) state.transcript.replace({ ...known, text });
    else state.transcript.put(messageItem(event, stamp, text), stamp.seq);
  },
  tool_call_changed: (state, event, { seq, at }) => {
    const { tool_call, title, kind, status, paths, input, content } = event.update;
    const key = `tool-${tool_call}`;
    const known = state.transcript.find(key, "tool") ?? beginTool(key, event.turn, tool_call, { seq, at });
    const ended = status === "completed" || status === "failed";
    const changes = withoutNulls({ title, tool: kind, status, paths, input, content, endedAt: ended ? at : null });
    state.transcript.put({ ...known, ...changes }, known.after);
  },
  tool_log_kept: (state, { tool_call, artifact, bytes, whole }) => {
    const tool = state.transcript.find(`tool-${tool_call}`, "tool");
    if (tool) state.transcript.replace({ ...tool, log: { artifact, bytes, whole } });
  },
  plan_changed: (state, event) => {
    state.plan = event.entries;
  },
  permission_decided: (state, event) => {
    const tool = state.transcript.find(`tool-${event.ask.tool_call}`, "tool");
    if (tool) state.transcript.replace({ ...tool, asked: true, refused: !event.allowed });
  },
  usage_recorded: (state, { usage }) => {
    state.spending = plus(state.spending, usage);
    state.turnSpending = plus(state.turnSpending, usage);
  },
};

function plus(spent: Spending, usage: Usage): Spending {
  return {
    calls: spent.calls + 1,
    inputTokens: spent.inputTokens + usage.input_tokens,
    outputTokens: spent.outputTokens + usage.output_tokens,
    cacheTokens: spent.cacheTokens + usage.cache_read_tokens + usage.cache_write_tokens,
    costUsd: spent.costUsd + (usage.cost_usd ?? 0),
    unpriced: spent.unpriced + (usage.cost_usd === null ? 1 : 0),
  };
}

type NotNull<T> = { readonly [K in keyof T]?: NonNullable<T[K]> };

/** What is null did not change. */
function withoutNulls<T extends object>(update: T): NotNull<T> {
  return Object.fromEntries(Object.entries(update).filter(([, value]) => value !== null)) as NotNull<T>;
}

function beginTool(key: string, turn: string, toolCall: string, { seq, at }: Stamp): ToolItem {
  return {
    kind: "tool",
    key,
    after: seq,
    at,
    turn,
    toolCall,
    title: "",
    tool: "other",
    status: "pending",
    paths: [],
    input: "",
    content: [],
    endedAt: null,
    asked: false,
    log: null,
    refused: false,
    cutOff: false,
  };
}
