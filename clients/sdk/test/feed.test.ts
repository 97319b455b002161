import type { ServerFrame } from "@outrider/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Problem, SessionStore, type Socket } from "../src";
import { readTape } from "./tapes";

const TAPE = readTape("s-k4q7ab2xyz");

/** A socket whose other end is the test. */
class Line implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  closed = false;

  constructor(readonly url: string) {}

  close(): void {
    this.closed = true;
  }

  send(...frames: ServerFrame[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

function setUp(probe: () => Promise<unknown> = () => Promise.resolve()) {
  const lines: Line[] = [];
  const openSocket = (url: string): Line => {
    lines.push(new Line(url));
    return lines.at(-1)!;
  };
  const schedule = (publish: () => void): void => publish();
  const store = new SessionStore({ session: "s-aaaa", origin: "ws://here", probe, openSocket, schedule });
  const stop = store.subscribe(() => undefined);
  return { store, stop, lines, line: () => lines.at(-1)! };
}

const events = (from: number, to: number): ServerFrame => ({ kind: "events", events: TAPE.slice(from, to) });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the feed", () => {
  it("is live after the replay", () => {
    const { store, line } = setUp();
    line().onopen?.();
    expect(store.snapshot()).toMatchObject({ connection: { kind: "replaying" }, loaded: false });
    line().send(events(0, 5), { kind: "drafts", drafts: [] }, { kind: "live", seq: 5 });
    expect(store.snapshot()).toMatchObject({ connection: { kind: "live" }, loaded: true, view: { seq: 5 } });
  });

  it("resumes after the newest event when the line breaks", () => {
    const { store, line, lines } = setUp();
    line().onopen?.();
    line().send(events(0, 5), { kind: "live", seq: 5 });
    line().onclose?.();
    expect(store.snapshot().connection).toMatchObject({ kind: "waiting", attempt: 1 });
    vi.advanceTimersByTime(250);
    expect(lines.map((each) => each.url)).toEqual([
      "ws://here/api/sessions/s-aaaa/feed?after=0",
      "ws://here/api/sessions/s-aaaa/feed?after=5",
    ]);
  });

  it.each<[string, ServerFrame]>([
    ["an event is missing", events(8, 9)],
    ["the server says that it dropped some", { kind: "resync", after: 5 }],
    ["the replay ended too early", { kind: "live", seq: 7 }],
  ])("attaches again when %s", (_, frame) => {
    const { store, line, lines } = setUp();
    line().onopen?.();
    line().send(events(0, 5), frame);
    expect(store.snapshot()).toMatchObject({ connection: { kind: "waiting" }, view: { seq: 5 } });
    expect(lines[0]?.closed).toBe(true);
    vi.advanceTimersByTime(250);
    expect(line().url).toContain("after=5");
  });

  it("waits longer each time, at most 8 s, and starts afresh once it is live", async () => {
    const { store, line } = setUp();
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      line().onclose?.();
      await vi.advanceTimersByTimeAsync(0);
      const { connection } = store.snapshot();
      expect(connection).toMatchObject({ kind: "waiting", attempt });
      expect(connection.kind === "waiting" && connection.retryInMs).toBeLessThanOrEqual(8_000);
      vi.advanceTimersByTime(8_000);
    }
    line().onopen?.();
    line().send({ kind: "live", seq: 0 });
    line().onclose?.();
    expect(store.snapshot().connection).toMatchObject({ kind: "waiting", attempt: 1 });
  });

  it("tries at once when nudged", () => {
    const { store, line, lines } = setUp();
    line().onopen?.();
    line().onclose?.();
    store.nudge();
    expect(lines).toHaveLength(2);
  });

  it.each([401, 404])("gives up where the server answers %i", async (status) => {
    const { store, line, lines } = setUp(() => Promise.reject(new Problem("No.", "Log in.", status)));
    line().onclose?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.snapshot().connection).toMatchObject({ kind: "refused", problem: { sentence: "No." } });
    expect(lines).toHaveLength(1);
  });

  it("closes with its last listener and opens with the next", () => {
    const { store, stop, line, lines } = setUp();
    stop();
    expect(line().closed).toBe(true);
    store.subscribe(() => undefined);
    expect(lines).toHaveLength(2);
  });
});
