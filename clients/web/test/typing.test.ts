import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { AGAIN_MS, PAUSE_MS, TypingTeller } from "../src/features/sessions/typing";

describe("telling that somebody types", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("tells once after a pause, and again while typing goes on", () => {
    const told: string[] = [];
    const teller = new TypingTeller((what) => told.push(what.repository));
    for (let key = 0; key < 5; key++) {
      teller.heard({ repository: "shop" });
      vi.advanceTimersByTime(PAUSE_MS / 2);
    }
    expect(told).toEqual([]);
    vi.advanceTimersByTime(PAUSE_MS);
    teller.heard({ repository: "shop" });
    vi.advanceTimersByTime(PAUSE_MS);
    expect(told).toEqual(["shop"]);
    vi.advanceTimersByTime(AGAIN_MS);
    teller.heard({ repository: "shop" });
    vi.advanceTimersByTime(PAUSE_MS);
    expect(told).toEqual(["shop", "shop"]);
  });

  it("tells another repository at once, and nothing without one", () => {
    const told: string[] = [];
    const teller = new TypingTeller((what) => told.push(what.repository));
    for (const repository of ["", "shop", "forge"]) {
      teller.heard({ repository });
      vi.advanceTimersByTime(PAUSE_MS);
    }
    expect(told).toEqual(["shop", "forge"]);
    teller.heard({ repository: "other" });
    teller.end();
    vi.advanceTimersByTime(PAUSE_MS);
    expect(told).toEqual(["shop", "forge"]);
  });
});
