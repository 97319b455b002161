import type { DeltaFrame, Draft, Recorded, ServerFrame } from "@outrider/protocol";
import { readFileSync } from "node:fs";

export function readTape(name: string): readonly Recorded[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")) as Recorded[];
}

/** Every sealed text with the deltas that the server would have sent before it, cut every `width` characters. */
export function withDeltas(tape: readonly Recorded[], width: number): readonly ServerFrame[] {
  return tape.flatMap((recorded): ServerFrame[] => {
    const { event } = recorded;
    const stored: ServerFrame = { kind: "events", events: [recorded] };
    if (event.type !== "text_sealed") return [stored];
    const characters = Array.from(event.text);
    const deltas: DeltaFrame[] = [];
    for (let start = 0; start < characters.length; start += width) {
      const text = characters.slice(start, start + width).join("");
      const { turn, message, speaker } = event;
      const after_seq = recorded.seq - 1;
      deltas.push({ kind: "delta", turn, message, speaker, offset: event.offset + start, text, after_seq });
    }
    return [...deltas, stored];
  });
}

/**
 * The server's side of an attach in the middle of a feed: what is stored after `after`, the open drafts, `live`, and
 * then the rest of the frames as they come.
 */
export function attachAt(frames: readonly ServerFrame[], cut: number, after: number): readonly ServerFrame[] {
  const past = frames.slice(0, cut);
  const stored = past.flatMap((frame) => (frame.kind === "events" ? frame.events : []));
  const seq = stored.at(-1)?.seq ?? 0;
  return [
    { kind: "events", events: stored.filter((recorded) => recorded.seq > after) },
    { kind: "drafts", drafts: openDrafts(past) },
    { kind: "live", seq },
    ...frames.slice(cut),
  ];
}

function openDrafts(past: readonly ServerFrame[]): readonly Draft[] {
  const lastStored = past.findLastIndex((frame) => frame.kind === "events");
  const open = past.slice(lastStored + 1).filter((frame) => frame.kind === "delta");
  const first = open[0];
  if (!first) return [];
  const { turn, message, speaker, offset } = first;
  return [{ turn, message, speaker, offset, text: open.map((delta) => delta.text).join("") }];
}
