import type { SessionSummary } from "@outrider/protocol";
import { expect, test } from "vitest";

import { nested } from "../src/features/sessions/nested";

function summary(id: string, parent: string | null = null): SessionSummary {
  return { id, parent } as SessionSummary;
}

test("each session stands behind the one that started it", () => {
  const list = [summary("c", "b"), summary("x"), summary("b", "a"), summary("a"), summary("lone", "elsewhere")];
  expect(nested(list).map(({ session, depth }) => [session.id, depth])).toEqual([
    ["x", 0],
    ["a", 0],
    ["b", 1],
    ["c", 2],
    ["lone", 0],
  ]);
});
