import type { Event } from "@outrider/protocol";

import type { FoldState } from "./state";
import type { NoticeItem } from "./view";

/** The number and time of the event being folded. */
export interface Stamp {
  readonly seq: number;
  readonly at: string;
}

export type Handler<E> = (state: FoldState, event: E, stamp: Stamp) => void;

/** One handler for every event: a new event does not compile until it has one. */
export type Handlers = { readonly [E in Event as E["type"]]: Handler<E> };

/** Say something to people at this point of the transcript. */
export function notice(
  state: FoldState,
  { seq, at }: Stamp,
  tone: NoticeItem["tone"],
  sentence: string,
  remedy = "",
): void {
  state.transcript.put({ kind: "notice", key: `notice-${seq}`, after: seq, at, tone, sentence, remedy }, seq);
}
