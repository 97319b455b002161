import type {
  Changes,
  CheckResult,
  ChildResult,
  Commit,
  FileChange,
  Isolation,
  KeptWork,
  LimitTier,
  Person,
  Phase,
  PlanEntry,
  PresenceFrame,
  PreviewSpec,
  Prompt,
  Proof,
  PullRequest,
  PullRequestState,
  ServiceStatus,
  SessionCreated,
  Speaker,
  ToolContent,
  ToolKind,
  ToolStatus,
  TurnEndReason,
} from "@outrider/protocol";

import type { MessageText } from "./text";

/** Where an item stands: after the event of this number; an unstored draft comes just behind it. */
export interface Place {
  readonly key: string;
  readonly after: number;
  readonly at: string;
}

/** A prompt and when it was queued. */
export interface QueuedPrompt extends Prompt {
  readonly at: string;
}

/** A person's prompt whose turn has begun. */
export interface PromptItem extends Place {
  readonly kind: "prompt";
  readonly prompt: Prompt;
  readonly queuedAt: string;
  readonly turn: string;
}

/** Prose or a thought of the agent. */
export interface MessageItem extends Place {
  readonly kind: "message";
  readonly turn: string;
  readonly message: string;
  readonly speaker: Speaker;
  readonly text: MessageText;
}

/** One use of a tool, as far as it has come. */
export interface ToolItem extends Place {
  readonly kind: "tool";
  readonly turn: string;
  readonly toolCall: string;
  readonly title: string;
  readonly tool: ToolKind;
  readonly status: ToolStatus;
  readonly paths: readonly string[];
  readonly input: string;
  readonly content: readonly ToolContent[];
  readonly endedAt: string | null;
  /** What it printed where the transcript has only a part: an artifact, and whether that has all of it. */
  readonly log: { readonly artifact: string; readonly bytes: number; readonly whole: boolean } | null;
  /** Whether the engine asked for permission first. */
  readonly asked: boolean;
  /** Whether our policy said no. */
  readonly refused: boolean;
  /** Whether the turn ended before the tool did. */
  readonly cutOff: boolean;
}

/** One step of getting a sandbox and an engine ready. */
export interface Stage {
  readonly name: string;
  readonly text: string;
  readonly seconds: number | null;
  readonly failed: boolean;
}

/** The way from asleep to ready. */
export interface PreparationItem extends Place {
  readonly kind: "preparation";
  readonly stages: readonly Stage[];
  readonly ready: boolean;
  /** From the request to the sandbox being ready; null until then. */
  readonly seconds: number | null;
}

/** The commits of the workspace, as we fetched them. */
export interface WorkItem extends Place {
  readonly kind: "work";
  readonly head: string;
  readonly commits: readonly Commit[];
  readonly files: readonly FileChange[];
  readonly leftoversCommitted: boolean;
  /** Files of the workspace that are in no commit. */
  readonly uncommitted: number;
}

/** The place of a proof in the transcript; the proof itself is in `proofs`. */
export interface ProofItem extends Place {
  readonly kind: "proof";
  readonly proof: string;
}

/** A pull request was opened, merged, closed or reopened. */
export interface PullRequestItem extends Place {
  readonly kind: "pull-request";
  readonly number: number;
  readonly title: string;
  readonly state: PullRequestState;
  readonly by: Person | null;
  readonly opened: boolean;
}

/** Something that a person should know. */
export interface NoticeItem extends Place {
  readonly kind: "notice";
  readonly tone: "problem" | "interrupted" | "info";
  readonly sentence: string;
  readonly remedy: string;
}

/** A host that the sandbox was refused, or was allowed. `rule` is what allows it. */
export interface EgressItem extends Place {
  readonly kind: "egress";
  readonly host: string;
  readonly port: number;
  readonly why: string;
  readonly rule: string;
  /** Whether a person may allow it. */
  readonly allowable: boolean;
  readonly allowed: { readonly by: Person; readonly scope: "session" | "repository" } | null;
  /** Who took it back again; null where nobody did. */
  readonly forbidden: { readonly by: Person; readonly scope: "session" | "repository" } | null;
}

/** The files of the session as they were after a turn: it can be rewound to it, or forked from it. */
export interface SnapshotItem extends Place {
  readonly kind: "snapshot";
  readonly turn: string;
  /** Which turn of the session it was, from 1. */
  readonly number: number;
}

/** A session that this one started. `starting`: asked for, and not there yet. */
export interface ChildItem extends Place {
  readonly kind: "child";
  readonly session: string;
  readonly title: string;
  readonly repository: string;
  readonly state: "starting" | "working" | "resting" | "refused";
  /** How many prompts it was sent. */
  readonly prompts: number;
  /** What came of it, as of its last rest. */
  readonly result: ChildResult | null;
  /** Why it could not be started. */
  readonly refusal: string;
}

/** The end of a turn and why. */
export interface EndItem extends Place {
  readonly kind: "end";
  readonly turn: string;
  readonly reason: TurnEndReason;
  readonly message: string;
  /** What is there of a turn that did not end well; null where it did, or nobody could look. */
  readonly kept: KeptWork | null;
  /** From the start of the turn. */
  readonly seconds: number;
  /** What the turn has cost. */
  readonly spent: Spending;
}

export type TranscriptItem =
  | PromptItem
  | MessageItem
  | ToolItem
  | PreparationItem
  | WorkItem
  | ProofItem
  | PullRequestItem
  | NoticeItem
  | EgressItem
  | SnapshotItem
  | ChildItem
  | EndItem;

/** `reading`: the agent works, but the workspace is not synced yet, so that it can only read. */
export type TurnPhase = "preparing" | "reading" | "working" | "collecting" | "checking" | "publishing" | "stopping";

/** The running turn. */
export interface Turn {
  readonly id: string;
  readonly prompt: string;
  readonly startedAt: string;
  readonly phase: TurnPhase;
  /** 1 is the person's prompt; more are checks that came back red. */
  readonly round: number;
  /** Why it may not begin yet: as many sessions are at work as may be. */
  readonly held: { readonly sentence: string; readonly remedy: string } | null;
}

/** A check that has not come back yet. */
export interface RunningCheck {
  readonly name: string;
  readonly phase: Phase;
  readonly command: string;
  readonly startedAt: string;
}

/** A proof, also while its checks still run. */
export interface ProofView {
  readonly id: string;
  readonly head: string;
  readonly running: readonly RunningCheck[];
  readonly results: readonly CheckResult[];
  /** The whole proof, once all runs are in. */
  readonly proof: Proof | null;
}

/** What the session has cost. `unpriced` counts the calls whose price is not known. */
export interface Spending {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheTokens: number;
  readonly costUsd: number;
  readonly unpriced: number;
}

/** A database or daemon in the sandbox. */
export interface ServiceView {
  readonly name: string;
  readonly port: number | null;
  readonly status: ServiceStatus;
  readonly detail: string;
}

/** The sandbox that the session has now. */
export interface SandboxView {
  readonly id: string;
  readonly state: "waking" | "ready";
  readonly provider: string;
  readonly isolation: Isolation | null;
  readonly limitTier: LimitTier | null;
  /** Whether the workspace is on the session's commit: until then the agent only reads in it. */
  readonly synced: boolean;
}

export type SessionStatus = "waiting" | "waking" | "running" | "stopping" | "idle" | "asleep" | "archived";

/** A session as its events say, ready to be shown. Never changed: each batch of frames gives a new one. */
export interface SessionView {
  /** The newest event in here. */
  readonly seq: number;
  readonly created: (SessionCreated & { readonly at: string }) | null;
  /** What it is called now. */
  readonly title: string;
  /** Whether it stands at the top of the list. */
  readonly pinned: boolean;
  /** Whether it is archived as soon as its turn has stopped and its files are kept. */
  readonly archiving: boolean;
  readonly status: SessionStatus;
  readonly items: readonly TranscriptItem[];
  readonly queue: readonly QueuedPrompt[];
  readonly turn: Turn | null;
  readonly plan: readonly PlanEntry[];
  readonly sandbox: SandboxView | null;
  /** The services of the sandbox, as it last was with each. */
  readonly services: readonly ServiceView[];
  /** Ports of the sandbox that are worth looking at. */
  readonly previews: readonly PreviewSpec[];
  /** The sessions that this one started, oldest first. */
  readonly children: readonly ChildItem[];
  readonly engine: string | null;
  /** The unstored line about long work under way. */
  readonly progress: { readonly stage: string; readonly text: string } | null;
  readonly proofs: readonly ProofView[];
  readonly commits: readonly Commit[];
  readonly files: readonly FileChange[];
  /** The files that differ from the base commit now, committed or not; null where nobody has looked yet. */
  readonly changes: Changes | null;
  /** The newest commit that was collected. */
  readonly head: string | null;
  readonly branch: string | null;
  readonly pullRequest: PullRequest | null;
  readonly spending: Spending;
  /** The newest event about members: another number means that somebody joined, left or may something else. */
  readonly membersSeq: number;
  /** Who is there now; null while nothing is known. */
  readonly presence: PresenceFrame | null;
}
