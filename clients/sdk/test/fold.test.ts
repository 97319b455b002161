import type { Event, Recorded, ServerFrame } from "@outrider/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SessionFold, type SessionView, type TranscriptItem } from "../src";
import { attachAt, readTape, withDeltas } from "./tapes";

const TAPES = ["s-k4q7ab2xyz", "s-redredred2", "s-rehearsal2"].map(readTape);

function fold(tape: readonly Recorded[]): SessionView {
  const folded = new SessionFold();
  for (const recorded of tape) expect(folded.apply(recorded)).toBe(true);
  return folded.view();
}

function take(folded: SessionFold, frame: ServerFrame): boolean {
  if (frame.kind === "events") return frame.events.every((recorded) => folded.apply(recorded));
  if (frame.kind === "drafts") return frame.drafts.every((draft) => folded.type(draft, "2026-01-01T00:00:00Z"));
  return frame.kind === "delta" ? folded.type(frame, "2026-01-01T00:00:00Z") : true;
}

/** A tape of these events, a second apart. */
function tapeOf(...events: Event[]): readonly Recorded[] {
  return events.map((event, i) => ({ seq: i + 1, at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(), event }));
}

it("shows the files that have changed as they were told last", () => {
  const folded = new SessionFold();
  expect(folded.view().changes).toBeNull();
  const changes = { base: "b".repeat(40), files: [], count: 0, added: 0, deleted: 0 };
  folded.changed(changes);
  expect(folded.view().changes).toEqual(changes);
});

function kinds(view: SessionView): readonly string[] {
  return view.items.map((item) => item.kind);
}

function only<K extends TranscriptItem["kind"]>(view: SessionView, kind: K): Extract<TranscriptItem, { kind: K }>[] {
  return view.items.filter((item): item is Extract<TranscriptItem, { kind: K }> => item.kind === kind);
}

const PERSON = { name: "Ada", email: "ada@example.org" };
const PROMPT = (id: string) => ({ id, author: { person: PERSON, via: "web" }, text: id, key: null, attachments: [], revision: 1, edited_by: null });
const QUEUED = (id: string): Event => ({ type: "prompt_queued", prompt: PROMPT(id), position: null });
const STARTED: Event = { type: "turn_started", turn: "t", prompt: "a" };
const SAID = (offset: number, text: string): Event => ({
  type: "text_sealed",
  turn: "t",
  message: "m",
  speaker: "agent",
  offset,
  text,
});

describe("any way of delivering a session gives the same view", () => {
  it("whatever the cuts between deltas, events and reconnects", () => {
    const way = fc.record({
      tape: fc.constantFrom(...TAPES),
      width: fc.integer({ min: 1, max: 40 }),
      cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(way, ({ tape, width, cuts }) => {
        let frames = withDeltas(tape, width);
        const folded = new SessionFold();
        for (const cut of cuts) {
          const heard = frames.slice(0, cut % (frames.length + 1));
          for (const frame of heard) take(folded, frame);
          frames = attachAt(withDeltas(tape, width), placeOf(tape, width, folded.seq, heard), folded.seq);
        }
        for (const frame of frames) expect(take(folded, frame)).toBe(true);
        expect(folded.view()).toEqual(fold(tape));
      }),
    );
  });

  it("whatever is sent twice", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TAPES), fc.nat(), (tape, back) => {
        const folded = new SessionFold();
        for (const recorded of tape) {
          folded.apply(recorded);
          folded.apply(tape[Math.max(0, recorded.seq - 1 - (back % 7))] ?? recorded);
        }
        expect(folded.view()).toEqual(fold(tape));
      }),
    );
  });
});

/** How many frames of the whole feed the server has sent when the client has heard these. */
function placeOf(tape: readonly Recorded[], width: number, seq: number, heard: readonly ServerFrame[]): number {
  const whole = withDeltas(tape, width);
  const stored = whole.findIndex((frame) => frame.kind === "events" && frame.events[0]?.seq === seq);
  const typed = heard.length - 1 - heard.findLastIndex((frame) => frame.kind !== "delta");
  return Math.min(whole.length, stored + 1 + typed);
}

describe("numbers", () => {
  it("refuses an event that leaves a gap and changes nothing", () => {
    const folded = new SessionFold();
    const [first, , third] = tapeOf(QUEUED("a"), QUEUED("b"), QUEUED("c"));
    folded.apply(first!);
    expect(folded.apply(third!)).toBe(false);
    expect(folded.view().queue.map((prompt) => prompt.id)).toEqual(["a"]);
  });

  it("counts an event that it does not know", () => {
    const folded = new SessionFold();
    const event = { type: "told_by_a_newer_server" } as unknown as Event;
    expect(folded.apply({ seq: 1, at: "2026-01-01T00:00:00Z", event })).toBe(true);
    expect(folded.seq).toBe(1);
  });
});

describe("text", () => {
  const delta = (offset: number, text: string, after_seq = 2) =>
    ({ kind: "delta", turn: "t", message: "m", speaker: "agent", offset, text, after_seq }) as const;

  function typing(...frames: ServerFrame[]): SessionView {
    const folded = new SessionFold();
    for (const recorded of tapeOf(QUEUED("a"), STARTED)) folded.apply(recorded);
    for (const frame of frames) take(folded, frame);
    return folded.view();
  }

  const written = (view: SessionView) => only(view, "message").map(({ text }) => text.sealed + text.tail);

  it("drops what of a delta is there already, counting an emoji as one character", () => {
    expect(written(typing(delta(0, "🐎 ri"), delta(2, "ride"), delta(6, "!")))).toEqual(["🐎 ride!"]);
  });

  it("says so when a piece is missing", () => {
    const folded = new SessionFold();
    for (const recorded of tapeOf(QUEUED("a"), STARTED)) folded.apply(recorded);
    expect(take(folded, delta(0, "ab"))).toBe(true);
    expect(take(folded, delta(5, "z"))).toBe(false);
    expect(take(folded, delta(2, "c", 9))).toBe(false);
  });

  it("believes the stored segment and keeps what was typed behind it", () => {
    const [sealed] = [{ seq: 3, at: "2026-01-01T00:00:02Z", event: SAID(0, "abc") }];
    const [item] = only(typing(delta(0, "abXdef"), { kind: "events", events: [sealed] }), "message");
    expect(item?.text).toMatchObject({ sealed: "abc", tail: "def", sealedLength: 3 });
  });

  it("loses what was never stored when the turn is cut off", () => {
    const event: Event = { type: "turn_interrupted", turn: "t", attempt: 1, reason: "Restarted.", final: false };
    const view = typing(delta(0, "ab"), { kind: "events", events: [{ seq: 3, at: "2026-01-01T00:00:02Z", event }] });
    expect(kinds(view)).toEqual(["prompt", "notice"]);
  });

  it("marks stored text whose beginning was lost", () => {
    const [item] = only(fold(tapeOf(QUEUED("a"), STARTED, SAID(0, "ab"), SAID(5, "fg"))), "message");
    expect(item?.text).toMatchObject({ sealed: "abfg", hole: true });
  });
});

describe("queue and turn", () => {
  it("moves and withdraws prompts that wait", () => {
    const view = fold(
      tapeOf(
        QUEUED("a"),
        QUEUED("b"),
        QUEUED("c"),
        { type: "prompt_moved", prompt: "c", position: 0, by: PERSON },
        { type: "prompt_withdrawn", prompt: "a", by: PERSON },
        { type: "prompt_edited", prompt: "b", revision: 2, text: "better", attachments: [], author: PERSON, by: PERSON },
      ),
    );
    expect(view.queue.map((prompt) => prompt.id)).toEqual(["c", "b"]);
    expect(view.queue.map((prompt) => prompt.text)).toEqual(["c", "better"]);
  });

  it("stays stopping until the turn ends, and marks the tool that was cut off", () => {
    const events: Event[] = [
      QUEUED("a"),
      STARTED,
      { type: "tool_call_changed", turn: "t", update: toolUpdate("in_progress") },
      { type: "stop_requested", turn: "t", by: PERSON },
      { type: "engine_finished", turn: "t", round: 1, stop: "cancelled" },
    ];
    expect(fold(tapeOf(...events))).toMatchObject({ status: "stopping", turn: { phase: "stopping" } });
    const kept = { head: "c".repeat(40), commits: 1, branch: "", uncommitted: 1, files: ["half.txt"] };
    const view = fold(tapeOf(...events, { type: "turn_ended", turn: "t", reason: "stopped", message: "Stopped.", kept }));
    expect(view.turn).toBeNull();
    expect(only(view, "tool")[0]).toMatchObject({ cutOff: true });
    expect(only(view, "end")[0]).toMatchObject({ reason: "stopped", kept, seconds: 4 });
  });

  function toolUpdate(status: "in_progress") {
    return {
      type: "tool_call_update",
      tool_call: "x",
      title: "ls",
      kind: "execute",
      status,
      paths: null,
      input: null,
      content: null,
    } as const;
  }
});

describe("from the commits to the pull request", () => {
  const HANDED: Event = { type: "prompt_handed", turn: "t", attempt: 1, round: 1 };
  const commits = [{ sha: "c", author: PERSON, subject: "Mend it" }];
  const work = (head: string): Event => ({
    type: "work_collected",
    head,
    commits: head === "base" ? [] : commits,
    files: [],
    leftovers_committed: false,
    uncommitted: 0,
    uncommitted_files: [],
  });

  it("says once that the same commits were collected", () => {
    const view = fold(tapeOf(QUEUED("a"), STARTED, work("base"), work("a"), work("a"), work("b")));
    expect(only(view, "work").map((item) => item.head)).toEqual(["a", "b"]);
  });

  it("goes back to what was collected by then when the session is rewound", () => {
    const taken = (number: number): Event => ({
      type: "snapshot_taken",
      turn: `t${number}`,
      number,
      layer: "l",
      layers: [],
      toolbox: null,
      commit: "c",
      reason: "turn",
      seconds: 1,
      keep: 20,
    });
    const rewound = (number: number): Event => ({ type: "session_rewound", turn: "t", number, by: PERSON, branch: "b" });
    const files = [{ path: "one", added: 1, deleted: 0, kind: "added" as const }];
    const folded = new SessionFold();
    const tape = tapeOf({ ...work("a"), files } as Event, taken(1), work("b"), taken(2), rewound(1), rewound(3));
    for (const recorded of tape.slice(0, 4)) folded.apply(recorded);
    folded.changed({ base: "b".repeat(40), files: [], count: 0, added: 0, deleted: 0 });
    expect(folded.view()).toMatchObject({ head: "b", files: [] });
    folded.apply(tape[4]!);
    expect(folded.view()).toMatchObject({ head: "a", files, changes: null });
    folded.apply(tape[5]!); // a snapshot that a newer server knows of
    expect(folded.view()).toMatchObject({ head: null, files: [], commits: [] });
  });

  it("goes on working while the engine waits for a proof, and is checking at the end of the turn", () => {
    const asked = (by: "engine" | "turn_end"): Event => ({ type: "proof_requested", proof: by, head: "a", asked_by: by });
    const start = [QUEUED("a"), STARTED, HANDED];
    expect(fold(tapeOf(...start, asked("engine"))).turn?.phase).toBe("working");
    expect(fold(tapeOf(...start, asked("engine"), asked("turn_end"))).turn?.phase).toBe("checking");
  });

  it("prepares the sandbox of a turn below its prompt", () => {
    const request: Event = { type: "sandbox_requested", sandbox: "b" };
    expect(kinds(fold(tapeOf(QUEUED("a"), request, STARTED)))).toEqual(["prompt", "preparation"]);
  });
});

describe("hosts that the sandbox was refused", () => {
  const refused: Event = {
    type: "egress_refused",
    host: "api.example",
    port: 443,
    why: "it is not on the allow-list",
    rule: "api.example",
    allowable: true,
  };
  const allowed: Event = { type: "host_allowed", host: "api.example", by: PERSON, scope: "session" };

  it("stand where they were refused, and say who allowed them", () => {
    expect(only(fold(tapeOf(refused)), "egress")[0]).toMatchObject({ host: "api.example", allowed: null });
    const items = only(fold(tapeOf(refused, allowed)), "egress");
    expect(items).toMatchObject([{ after: 1, allowed: { by: { name: "Ada" }, scope: "session" } }]);
  });

  it("are told also where they were allowed before anything asked", () => {
    expect(only(fold(tapeOf(allowed)), "egress")).toMatchObject([{ host: "api.example", why: "" }]);
  });
});

describe("the recorded sessions", () => {
  it("reads the live one", () => {
    const view = fold(TAPES[0]!);
    expect(view).toMatchObject({ status: "running", turn: { phase: "working" }, pullRequest: { number: 12 } });
    expect(view.queue).toHaveLength(2);
    expect(view.proofs[0]?.proof?.verdict).toBe("fix_proved");
    expect(view.spending).toMatchObject({ calls: 1, unpriced: 0 });
    expect(only(view, "preparation")[0]).toMatchObject({ ready: true, stages: { length: 4 } });
  });

  it("reads the red one", () => {
    const view = fold(TAPES[1]!);
    expect(view).toMatchObject({ status: "idle", turn: null, pullRequest: null, spending: { unpriced: 1 } });
    expect(only(view, "notice").map((item) => item.tone)).toEqual(["interrupted", "info", "problem", "info"]);
  });
});
