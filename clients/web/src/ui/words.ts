/** The words for the states of things; `src/outrider/cli/words.py` has the same ones for the terminal. */
import type {
  CaseOutcome,
  CheckVerdict,
  Isolation,
  LimitTier,
  ProofVerdict,
  PullRequestState,
  ToolKind,
  TurnEndReason,
} from "@outrider/protocol";
import type { TurnPhase } from "@outrider/sdk";

export const VERB: Record<ToolKind, string> = {
  read: "Read",
  edit: "Edit",
  delete: "Delete",
  move: "Move",
  search: "Search",
  execute: "Run",
  think: "Think",
  fetch: "Fetch",
  switch_mode: "Switch",
  other: "Use",
};

export const VERDICT: Record<ProofVerdict, string> = {
  fix_proved: "Fix proved",
  fix_proved_weakly: "Fix proved weakly",
  still_green: "Checks pass",
  red: "Checks fail",
  not_run: "Not checked",
};

export const CHECK: Record<CheckVerdict, string> = {
  passed: "green",
  failed: "red",
  timed_out: "timed out",
  setup_failed: "set-up failed",
  stopped: "stopped",
};

export const OUTCOME: Record<CaseOutcome, string> = {
  passed: "passed",
  failed: "failed",
  error: "did not load",
  skipped: "skipped",
};

export const TURN_END: Record<TurnEndReason, string> = {
  completed: "Done",
  stopped: "Stopped",
  failed: "Failed",
};

export const TURN_PHASE: Record<TurnPhase, string> = {
  preparing: "Getting ready",
  reading: "Reading while syncing",
  working: "Working",
  collecting: "Collecting the work",
  checking: "Checking",
  publishing: "Publishing",
  stopping: "Stopping",
};

export const PULL_REQUEST: Record<PullRequestState, string> = {
  open: "Open",
  merged: "Merged",
  closed: "Closed",
};

export const ISOLATION: Record<Isolation, string> = {
  vm: "virtual machine",
  "user-kernel": "kernel of its own in user space",
  "shared-kernel": "shared kernel",
};

export const LIMITS: Record<LimitTier, string> = {
  cgroup: "limits by control groups",
  "rlimit+watchdog": "limits by rlimits and a watchdog",
};

export const REHEARSAL = "Rehearsal: a script answers, no model is asked.";

/** A word from a table, or the server's own where a newer server says more than we know. */
export function wordFor(table: Readonly<Record<string, string>>, key: string): string {
  return table[key] ?? key.replaceAll("_", " ");
}
