import { notice, type Handlers, type Stamp } from "./handlers";
import { setPhase, type FoldState } from "./state";
import type { PreparationItem, Stage } from "./view";

/** How the session comes by its sandbox, and loses it. */
export const foldSandbox: Pick<
  Handlers,
  | "sandbox_requested"
  | "sandbox_ready"
  | "sync_finished"
  | "sync_failed"
  | "typing_noticed"
  | "sandbox_lost"
  | "sandbox_stopped"
  | "stage_reported"
  | "service_changed"
  | "previews_named"
> = {
  sandbox_requested: (state, event, stamp) => {
    state.sandbox = { id: event.sandbox, state: "waking", provider: "", isolation: null, limitTier: null, synced: false };
    state.services = [];
    state.preparing = begin(state, stamp).key;
    setPhase(state, "preparing");
  },
  sandbox_ready: (state, event) => {
    const { id, provider } = event.handle;
    const { isolation, limit_tier: limitTier } = event;
    state.sandbox = { id, state: "ready", provider, isolation, limitTier, synced: false };
    state.progress = null;
    const item = current(state);
    if (item) state.transcript.replace({ ...item, ready: true, seconds: event.seconds });
  },
  sync_finished: (state, event) => {
    if (state.sandbox) state.sandbox = { ...state.sandbox, synced: true };
    if (state.turn?.phase === "reading") setPhase(state, "working");
    const item = current(state);
    if (item && event.moved) {
      const { commit, files_changed: changed = 0, seconds } = event;
      const text = `Synced to ${commit.slice(0, 12)}, ${changed} ${changed === 1 ? "file" : "files"} changed.`;
      state.transcript.replace({ ...item, stages: withStage(item.stages, { name: "sync", text, seconds, failed: false }) });
    }
    finish(state);
  },
  sync_failed: (state, event) => {
    const item = current(state);
    const stage = { name: "sync", text: event.reason, seconds: null, failed: true };
    if (item) state.transcript.replace({ ...item, stages: withStage(item.stages, stage) });
    finish(state);
  },
  typing_noticed: () => undefined,
  sandbox_lost: (state, event, stamp) => {
    state.sandbox = null;
    finish(state);
    notice(state, stamp, "interrupted", `The sandbox was lost: ${event.reason}`, "Its files are kept.");
  },
  sandbox_stopped: (state) => {
    state.sandbox = null;
    finish(state);
  },
  stage_reported: (state, event, stamp) => {
    const { stage: name, text, seconds, failed } = event;
    const item = current(state) ?? begin(state, stamp);
    state.progress = null;
    state.transcript.replace({ ...item, stages: withStage(item.stages, { name, text, seconds, failed }) });
  },
  service_changed: (state, event, stamp) => {
    const { name, port, state: status, detail, seconds } = event;
    state.services = [...state.services.filter((known) => known.name !== name), { name, port, status, detail }];
    const item = current(state) ?? begin(state, stamp);
    const failed = status === "failed";
    const text = failed ? detail : `${name} is ready${port === null ? "" : ` on port ${port}`}.`;
    const stage = { name: `service-${name}`, text, seconds, failed };
    state.transcript.replace({ ...item, stages: withStage(item.stages, stage) });
  },
  previews_named: (state, event) => {
    state.previews = event.previews;
  },
};

function begin(state: FoldState, { seq, at }: Stamp): PreparationItem {
  const item: PreparationItem = {
    kind: "preparation",
    key: `preparation-${seq}`,
    after: seq,
    at,
    stages: [],
    ready: false,
    seconds: null,
  };
  state.transcript.put(item, seq);
  return item;
}

/** No stage belongs to it any more. */
function finish(state: FoldState): void {
  state.preparing = null;
}

/** The preparation under way, or one that stands last: a stage reported right after it belongs to it. */
function current(state: FoldState): PreparationItem | undefined {
  if (state.preparing) return state.transcript.find(state.preparing, "preparation");
  const last = state.transcript.last();
  return last?.kind === "preparation" ? last : undefined;
}

function withStage(stages: readonly Stage[], stage: Stage): readonly Stage[] {
  const open = stages.findIndex((known) => known.name === stage.name && known.seconds === null && !known.failed);
  return open < 0 ? [...stages, stage] : stages.with(open, stage);
}
