import { Transcript } from "./transcript";
import type { SessionStatus, SessionView, Spending, Turn, TurnPhase } from "./view";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What the fold works on: the view without what is derived from it. Lists in here are replaced, not changed. */
export interface FoldState extends Mutable<Omit<SessionView, "items" | "status">> {
  readonly transcript: Transcript;
  archived: boolean;
  /** What the running turn has cost so far. */
  turnSpending: Spending;
  /** What was collected up to each snapshot, by the number of its turn: a rewind goes back to it. */
  works: ReadonlyMap<number, Work>;
  /** Key of the preparation that is still under way. */
  preparing: string | null;
}

/** What was collected of a workspace. */
export type Work = Pick<SessionView, "commits" | "files" | "head">;

export const NOTHING_COLLECTED: Work = { commits: [], files: [], head: null };

export const NOTHING_SPENT: Spending = {
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheTokens: 0,
  costUsd: 0,
  unpriced: 0,
};

export function emptyState(): FoldState {
  return {
    seq: 0,
    created: null,
    title: "",
    pinned: false,
    archiving: false,
    transcript: new Transcript(),
    queue: [],
    turn: null,
    plan: [],
    sandbox: null,
    services: [],
    previews: [],
    children: [],
    engine: null,
    progress: null,
    proofs: [],
    commits: [],
    files: [],
    changes: null,
    head: null,
    works: new Map(),
    branch: null,
    pullRequest: null,
    spending: NOTHING_SPENT,
    archived: false,
    turnSpending: NOTHING_SPENT,
    preparing: null,
    membersSeq: 0,
    presence: null,
  };
}

/** The state as a value that no later event changes. */
export function snapshot(state: FoldState): SessionView {
  const { transcript, archived, preparing, turnSpending, works, ...view } = state;
  return { ...view, status: status(state), items: transcript.snapshot() };
}

function status(state: FoldState): SessionStatus {
  if (state.archived) return "archived";
  if (state.turn) return atWork(state.turn);
  if (state.sandbox?.state === "waking" || state.queue.length > 0) return "waking";
  return state.sandbox ? "idle" : "asleep";
}

/** The running turn is now at this point. A turn that is being stopped stays so until it ends. */
export function setPhase(state: FoldState, phase: TurnPhase): void {
  state.progress = null;
  if (state.turn && state.turn.phase !== "stopping") state.turn = { ...state.turn, phase };
}

function atWork({ phase, held }: Turn): SessionStatus {
  if (phase === "stopping") return "stopping";
  return held ? "waiting" : "running";
}
