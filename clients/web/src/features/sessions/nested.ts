import type { SessionSummary } from "@outrider/protocol";

/** A session in the list, and how far below another it stands there. */
export interface Nested {
  readonly session: SessionSummary;
  readonly depth: number;
}

/** How far in a session stands in the list, by its depth. */
export const INDENT = ["", "ml-3 border-l border-line pl-1", "ml-6 border-l border-line pl-1", "ml-9 border-l border-line pl-1"];

/** Each session behind the one that started it, where that one is in the list. The order is kept otherwise. */
export function nested(sessions: readonly SessionSummary[]): readonly Nested[] {
  const listed = new Set(sessions.map((session) => session.id));
  const below = new Map<string, SessionSummary[]>();
  for (const session of sessions) {
    const parent = session.parent && listed.has(session.parent) ? session.parent : "";
    below.set(parent, [...(below.get(parent) ?? []), session]);
  }
  const walk = (parent: string, depth: number): Nested[] =>
    (below.get(parent) ?? []).flatMap((session) => [{ session, depth }, ...walk(session.id, depth + 1)]);
  return walk("", 0);
}
