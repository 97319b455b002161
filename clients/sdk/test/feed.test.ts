import type { ServerFrame } from "@outrider/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Problem, SessionFold, SessionStore, type Socket } from "../src";
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

  readonly sent: string[] = [];

  send(data: string): void {
    this.sent.push(data);
  }

  say(...frames: ServerFrame[]): void {
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
    line().say(events(0, 5), { kind: "drafts", drafts: [] }, { kind: "live", seq: 5 });
    expect(store.snapshot()).toMatchObject({ connection: { kind: "live" }, loaded: true, view: { seq: 5 } });
  });

  it("resumes after the newest event when the line breaks", () => {
    const { store, line, lines } = setUp();
    line().onopen?.();
    line().say(events(0, 5), { kind: "live", seq: 5 });
    line().onclose?.();
    expect(store.snapshot().connection).toMatchObject({ kind: "waiting", attempt: 1 });
    vi.advanceTimersByTime(250);
    expect(lines.map((each) => each.url)).toEqual([
      "ws://here/api/sessions/s-aaaa/feed?client=browser&after=0",
      "ws://here/api/sessions/s-aaaa/feed?client=browser&after=5",
    ]);
  });

  it("shows after each attach what that attach tells of the files, also that nothing is known", () => {
    const { store, line } = setUp();
    const changes = { base: "b".repeat(40), files: [], count: 3, added: 1, deleted: 0 };
    line().onopen?.();
    line().say(events(0, 5), { kind: "changes", changes }, { kind: "live", seq: 5 });
    expect(store.snapshot().view.changes).toEqual(changes);
    line().onclose?.();
    vi.advanceTimersByTime(250);
    line().onopen?.();
    line().say({ kind: "drafts", drafts: [] });
    expect(store.snapshot().view.changes).toEqual(changes); // nothing flickers meanwhile
    line().say({ kind: "changes", changes: null }, { kind: "live", seq: 5 });
    expect(store.snapshot().view.changes).toBeNull();
  });

  it.each<[string, ServerFrame]>([
    ["an event is missing", events(8, 9)],
    ["the server says that it dropped some", { kind: "resync", after: 5 }],
    ["the replay ended too early", { kind: "live", seq: 7 }],
  ])("attaches again when %s", (_, frame) => {
    const { store, line, lines } = setUp();
    line().onopen?.();
    line().say(events(0, 5), frame);
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
    line().say({ kind: "live", seq: 0 });
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

  it("gets what it missed in an hour, whole and once, however the line breaks", () => {
    const whole = new SessionFold();
    for (const recorded of TAPE) whole.apply(recorded);
    for (let seed = 1; seed <= 20; seed += 1) {
      const { store, stop, line } = setUp();
      const random = randomOf(seed);
      while (store.snapshot().view.seq < TAPE.length) {
        expect(line().url).toContain(`after=${store.snapshot().view.seq}`);
        attached(line(), store.snapshot().view.seq, random);
        vi.advanceTimersByTime(random() < 0.2 ? 3_600_000 : 8_000);
      }
      expect(store.snapshot().view).toEqual(whole.view());
      stop();
    }
  });

  it("shows who is there while it is live, and nobody once the line is gone", () => {
    const { store, line } = setUp();
    line().onopen?.();
    store.showTyping(true);
    expect(line().sent).toEqual([]);
    const person = { name: "Bob", email: "bob@example.org" };
    const people = [{ person, guest: false, clients: ["browser"], typing: true }];
    line().say({ kind: "live", seq: 0 }, { kind: "presence", people, count: 1, typing: 1 });
    expect(store.snapshot().view.presence).toMatchObject({ count: 1, people });
    store.showTyping(true);
    expect(line().sent.map((sent) => JSON.parse(sent) as unknown)).toEqual([{ kind: "here", ref: "here", typing: true }]);
    line().onclose?.();
    expect(store.snapshot().view.presence).toBeNull();
  });
});

/** A line that brings some of what is missing, at times twice or with a gap, and breaks. */
function attached(line: Line, has: number, random: () => number): void {
  line.onopen?.();
  const upTo = Math.min(TAPE.length, has + Math.floor(random() * 40));
  line.say(events(has, upTo), { kind: "drafts", drafts: [] }, { kind: "live", seq: upTo });
  if (random() < 0.3) line.say(events(Math.max(0, upTo - 3), upTo));
  if (random() < 0.3) line.say(events(upTo + 1, upTo + 2));
  line.onclose?.();
}

/** Numbers from 0 to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
