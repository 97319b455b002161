import { notice, type Handlers } from "./handlers";
import { NOTHING_SPENT, setPhase, type FoldState } from "./state";
import { settle } from "./text";
import type { MessageItem } from "./view";

/** What was typed in this turn and never stored is gone, and a tool that still ran was cut off. */
function settleTurn(state: FoldState, turn: string): void {
  for (const item of state.transcript.snapshot()) {
    if (!("turn" in item) || item.turn !== turn) continue;
    if (item.kind === "message" && item.text.tail) settleMessage(state, item);
    if (item.kind === "tool" && item.endedAt === null) state.transcript.replace({ ...item, cutOff: true });
  }
}

function settleMessage(state: FoldState, item: MessageItem): void {
  const text = settle(item.text);
  if (text.sealed) state.transcript.replace({ ...item, text });
  else state.transcript.remove(item.key);
}

/** A sandbox that was asked for because of this turn is prepared below its prompt. */
function preparesFor(state: FoldState, seq: number): void {
  const preparation = state.preparing && state.transcript.find(state.preparing, "preparation");
  if (preparation && preparation.after === seq - 1) state.transcript.put(preparation, seq + 0.25);
}

export const foldTurn: Pick<
  Handlers,
  "turn_started" | "prompt_handed" | "engine_told" | "engine_attached" | "engine_finished" | "engine_reprompted" | "stop_requested" | "stop_failed" | "turn_interrupted" | "turn_ended"
> = {
  turn_started: (state, event, { seq, at }) => {
    const queued = state.queue.find((prompt) => prompt.id === event.prompt);
    state.queue = state.queue.filter((prompt) => prompt.id !== event.prompt);
    state.turn = { id: event.turn, prompt: event.prompt, startedAt: at, phase: "preparing", round: 1, held: null };
    state.plan = [];
    state.turnSpending = NOTHING_SPENT;
    preparesFor(state, seq);
    if (!queued) return;
    const key = `prompt-${queued.id}`;
    state.transcript.put(
      { kind: "prompt", key, after: seq, at, prompt: queued, queuedAt: queued.at, turn: event.turn },
      seq,
    );
  },
  prompt_handed: (state, event) => {
    setPhase(state, state.sandbox && !state.sandbox.synced ? "reading" : "working");
    if (state.turn) state.turn = { ...state.turn, round: event.round };
  },
  engine_told: (state, _event, stamp) => {
    notice(state, stamp, "info", "The agent was told that files had moved while it was reading.");
  },
  engine_attached: (state, event, stamp) => {
    state.engine = event.engine;
    if (event.how === "reseeded") {
      notice(state, stamp, "info", "The engine started afresh and was told what had happened so far.");
    }
  },
  engine_finished: (state) => setPhase(state, "collecting"),
  engine_reprompted: (state, event, stamp) => {
    setPhase(state, "working");
    notice(state, stamp, "info", `The checks came back red, so the agent works on: round ${event.round}.`);
  },
  stop_requested: (state, event, stamp) => {
    setPhase(state, "stopping");
    notice(state, stamp, "info", `${event.by.name} stopped the turn.`);
  },
  stop_failed: (state, _event, stamp) => {
    notice(state, stamp, "info", "The turn did not end by itself. Its sandbox is being stopped.");
  },
  turn_interrupted: (state, event, stamp) => {
    settleTurn(state, event.turn);
    setPhase(state, "preparing");
    const remedy = event.final ? "It is not tried again; what is there is kept." : "The turn goes on by itself.";
    notice(state, stamp, "interrupted", event.reason, remedy);
  },
  turn_ended: (state, event, { seq, at }) => {
    settleTurn(state, event.turn);
    const seconds = state.turn ? (Date.parse(at) - Date.parse(state.turn.startedAt)) / 1000 : 0;
    const { turn, reason, message, kept = null } = event; // an older server did not say
    const end = { kind: "end", key: `end-${turn}`, after: seq, at, turn, reason, message, kept, seconds } as const;
    state.transcript.put({ ...end, spent: state.turnSpending }, seq);
    state.turn = null;
    state.progress = null;
    state.proofs = state.proofs.map((proof) => (proof.running.length > 0 ? { ...proof, running: [] } : proof));
  },
};

export const foldTrouble: Pick<Handlers, "problem_reported"> = {
  problem_reported: (state, event, stamp) => notice(state, stamp, "problem", event.sentence, event.remedy),
};
