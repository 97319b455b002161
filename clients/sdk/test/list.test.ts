import type { ListFrame, SessionSummary } from "@outrider/protocol";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

import { EVERYTHING, hasRow, LiveList, withRows, type Socket, type Wanted } from "../src";

const ROW: SessionSummary = {
  id: "s-a",
  title: "A session",
  repository: "ledger",
  branch: "main",
  author: "Ada",
  model: "rehearsal/demo",
  status: "idle",
  pull_request: null,
  pull_request_state: null,
  verdict: null,
  cost_usd: 0,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  pinned: false,
  seq: 1,
  parent: null, problem: "",
};

const changes = fc.record({
  id: fc.constantFrom("s-a", "s-b", "s-c", "s-d"),
  status: fc.constantFrom("idle", "running", "archived"),
  repository: fc.constantFrom("ledger", "shop"),
  author: fc.constantFrom("Ada", "Bob"),
  pinned: fc.boolean(),
  minute: fc.integer({ min: 0, max: 59 }),
});

const wants = fc.record<Wanted>({
  states: fc.constantFrom([], ["archived"], ["idle", "running"]),
  repository: fc.constantFrom("", "shop"),
  person: fc.constantFrom("", "Bob"),
  text: fc.constant(""),
});

/** What the server lists of these rows. */
function listed(rows: Iterable<SessionSummary>, wanted: Wanted): readonly SessionSummary[] {
  return withRows([], [...rows], wanted);
}

describe("a list of sessions", () => {
  it("is, whenever it was read, what the server lists once all rows were told", () => {
    fc.assert(
      fc.property(fc.array(changes), fc.nat(), wants, (history, at, wanted) => {
        const rows = new Map<string, SessionSummary>();
        const told: SessionSummary[] = [];
        let read: readonly SessionSummary[] = [];
        history.forEach(({ minute, ...change }, i) => {
          if (i === at % (history.length + 1)) read = listed(rows.values(), wanted);
          const updated_at = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
          const row = { ...ROW, ...change, updated_at, seq: i + 1 };
          rows.set(row.id, row);
          told.push(row);
        });
        expect(withRows(read, told, wanted)).toEqual(listed(rows.values(), wanted));
      }),
    );
  });

  it("has pinned sessions first, then the newest change first", () => {
    const rows = [
      { ...ROW, id: "s-old", updated_at: "2026-01-01T00:00:00Z" },
      { ...ROW, id: "s-new", updated_at: "2026-01-02T00:00:00Z" },
      { ...ROW, id: "s-pin", updated_at: "2025-01-01T00:00:00Z", pinned: true },
    ];
    expect(withRows([], rows, EVERYTHING).map((row) => row.id)).toEqual(["s-pin", "s-new", "s-old"]);
  });

  it("takes no older row for a newer one", () => {
    const known = { ...ROW, seq: 5, title: "newer" };
    expect(withRows([known], [{ ...ROW, seq: 4 }], EVERYTHING)).toEqual([known]);
  });

  it("adds nothing to a list of words, which only the server finds", () => {
    expect(withRows([], [ROW], { ...EVERYTHING, text: "cent" })).toEqual([]);
    expect(hasRow({ ...EVERYTHING, states: ["archived"] }, ROW)).toBe(false);
  });
});

describe("the live list", () => {
  it("has lists read after each attach, and keeps what it is told", () => {
    let line: Socket | undefined;
    const send = (frame: ListFrame): void => line?.onmessage?.({ data: JSON.stringify(frame) });
    const stale = vi.fn();
    const rows = vi.fn();
    const openSocket = (): Socket => (line = { onopen: null, onmessage: null, onclose: null, onerror: null, close: () => undefined });
    const list = new LiveList({ origin: "ws://here", probe: () => Promise.resolve(), stale, rows, openSocket });
    list.open();
    line?.onopen?.();
    send({ kind: "live", seq: 0 });
    expect(stale).toHaveBeenCalledTimes(1);
    send({ kind: "rows", sessions: [ROW] });
    send({ kind: "rows", sessions: [{ ...ROW, seq: 2 }] });
    expect(list.kept.map((row) => row.seq)).toEqual([2]);
    expect(rows).toHaveBeenCalledTimes(2);
    list.close();
  });
});
