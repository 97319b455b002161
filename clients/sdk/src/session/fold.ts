import type { Changes, DeltaFrame, Draft, Event, PresenceFrame, Recorded } from "@outrider/protocol";

import { foldChildren } from "./fold-children";
import { foldEgress } from "./fold-egress";
import { foldEngine } from "./fold-engine";
import { foldMembers } from "./fold-members";
import { foldHistory } from "./fold-history";
import { foldProof } from "./fold-proof";
import { foldQueue } from "./fold-queue";
import { foldSandbox } from "./fold-sandbox";
import { foldSnapshots } from "./fold-snapshots";
import { foldTrouble, foldTurn } from "./fold-turn";
import type { Handler, Handlers, Stamp } from "./handlers";
import { messageItem } from "./message";
import { emptyState, snapshot, type FoldState } from "./state";
import { extend, NO_TEXT } from "./text";
import type { Transcript } from "./transcript";
import type { SessionView } from "./view";

const handlers: Handlers = {
  ...foldQueue,
  ...foldTurn,
  ...foldEngine,
  ...foldTrouble,
  ...foldHistory,
  ...foldSandbox,
  ...foldSnapshots,
  ...foldProof,
  ...foldEgress,
  ...foldMembers,
  ...foldChildren,
};

/** Folds a session's events, drafts and deltas into a `SessionView`. The only part of the client that reads events. */
export class SessionFold {
  private readonly state: FoldState = emptyState();

  /** The newest event that was folded. */
  get seq(): number {
    return this.state.seq;
  }

  /** The next event. One that is already in here changes nothing; one that leaves a gap is refused with `false`. */
  apply(recorded: Recorded): boolean {
    const { seq, at, event } = recorded;
    if (seq <= this.state.seq) return true;
    if (seq !== this.state.seq + 1) return false;
    this.state.seq = seq;
    const handler = handlers[event.type] as Handler<Event> | undefined; // a newer server may say more than we know
    handler?.(this.state, event, { seq, at });
    return true;
  }

  /** Text still being typed. `false` says that a piece before it is missing. */
  type(draft: Draft | DeltaFrame, at: string): boolean {
    const after = "after_seq" in draft ? draft.after_seq : this.state.seq;
    if (after > this.state.seq) return false;
    if (this.state.turn?.id !== draft.turn) return true; // typed before the turn was cut off, and come too late
    return typeInto(this.state.transcript, draft, { seq: after, at });
  }

  progress(stage: string, text: string): void {
    this.state.progress = { stage, text };
  }

  /** Who is there; null once the line is gone. */
  meet(presence: PresenceFrame | null): void {
    this.state.presence = presence;
  }

  changed(changes: Changes | null): void {
    this.state.changes = changes;
  }

  view(): SessionView {
    return snapshot(this.state);
  }
}

function typeInto(transcript: Transcript, draft: Draft | DeltaFrame, stamp: Stamp): boolean {
  const known = transcript.find(`message-${draft.message}`, "message");
  const text = extend(known?.text ?? NO_TEXT, draft.offset, draft.text);
  if (text === null) return false;
  if (known) transcript.replace({ ...known, text });
  else transcript.put(messageItem(draft, stamp, text), stamp.seq + 0.5);
  return true;
}
