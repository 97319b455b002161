import { notice, type Handlers, type Stamp } from "./handlers";
import { setPhase, type FoldState } from "./state";
import type { PreparationItem, Stage } from "./view";

/** How the session comes by its sandbox, and loses it. */
export const foldSandbox: Pick<
  Handlers,
  | "sandbox_requested"
  | "sandbox_ready"
  | "sandbox_lost"
  | "sandbox_stopped"
  | "stage_reported"
  | "service_changed"
  | "previews_named"
> = {
  sandbox_requested: (state, event, stamp) => {
    state.sandbox = { id: event.sandbox, state: "waking", provider: "", isolation: null, limitTier: null };
    state.services = [];
    state.preparing = begin(state, stamp).key;
    setPhase(state, "preparing");
  },
  sandbox_ready: (state, event) => {
    const { id, provider } = event.handle;
    state.sandbox = { id, state: "ready", provider, isolation: event.isolation, limitTier: event.limit_tier };
    state.progress = null;
    finish(state, event.seconds);
  },
  sandbox_lost: (state, event, stamp) => {
    state.sandbox = null;
    finish(state, null);
    notice(state, stamp, "interrupted", `The sandbox was lost: ${event.reason}`, "Its files are kept.");
  },
  sandbox_stopped: (state) => {
    state.sandbox = null;
    finish(state, null);
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

function finish(state: FoldState, seconds: number | null): void {
  const item = current(state);
  state.preparing = null;
  if (item) state.transcript.replace({ ...item, ready: seconds !== null, seconds });
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
