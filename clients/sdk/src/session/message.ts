import type { Draft } from "@outrider/protocol";

import type { Stamp } from "./handlers";
import type { MessageItem } from "./view";

type Spoken = Pick<Draft, "turn" | "message" | "speaker">;

/** A message at its place. */
export function messageItem(spoken: Spoken, stamp: Stamp, text: MessageItem["text"]): MessageItem {
  const { turn, message, speaker } = spoken;
  return { kind: "message", key: `message-${message}`, after: stamp.seq, at: stamp.at, turn, message, speaker, text };
}
