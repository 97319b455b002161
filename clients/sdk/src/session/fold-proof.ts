import type { PullRequest } from "@outrider/protocol";

import { notice, type Handlers, type Stamp } from "./handlers";
import { setPhase, type FoldState } from "./state";
import type { ProofView, PullRequestItem } from "./view";

/** From the commits to the proof and the pull request. */
export const foldProof: Pick<
  Handlers,
  | "work_collected"
  | "proof_requested"
  | "check_started"
  | "check_finished"
  | "proof_finished"
  | "publish_requested"
  | "branch_pushed"
  | "pull_request_opened"
  | "publish_failed"
  | "evidence_attached"
  | "pull_request_changed"
> = {
  work_collected: (state, event, { seq, at }) => {
    const { head, commits, files } = event;
    state.commits = commits;
    state.files = files;
    const uncommitted = event.uncommitted ?? 0; // an older server did not say
    if (state.head === head || commits.length + uncommitted === 0) return; // nothing new
    state.head = head;
    const leftoversCommitted = event.leftovers_committed;
    const item = { kind: "work", key: `work-${seq}`, after: seq, at, head, commits, files } as const;
    state.transcript.put({ ...item, leftoversCommitted, uncommitted }, seq);
  },
  proof_requested: (state, event, { seq, at }) => {
    if (event.asked_by === "turn_end") setPhase(state, "checking"); // else the engine waits for it, and works on
    state.proofs = [...state.proofs, { id: event.proof, head: event.head, running: [], results: [], proof: null }];
    const key = `proof-${event.proof}`;
    state.transcript.put({ kind: "proof", key, after: seq, at, proof: event.proof }, seq);
  },
  check_started: (state, event, { at }) => {
    const { name, phase, command } = event;
    change(state, event.proof, (proof) => ({
      ...proof,
      running: [...proof.running, { name, phase, command, startedAt: at }],
    }));
  },
  check_finished: (state, event) => {
    const { name, phase } = event.result;
    change(state, event.proof, (proof) => ({
      ...proof,
      running: proof.running.filter((check) => check.name !== name || check.phase !== phase),
      results: [...proof.results, event.result],
    }));
  },
  proof_finished: (state, event) => {
    const { proof } = event;
    change(state, proof.id, (known) => ({ ...known, running: [], results: proof.results, proof }));
  },
  publish_requested: (state, event) => {
    if (event.asked_by === "turn_end") setPhase(state, "publishing");
  },
  branch_pushed: (state, event) => {
    state.branch = event.branch;
  },
  pull_request_opened: (state, event, stamp) => {
    state.pullRequest = event.pull_request;
    state.transcript.put(pullRequestItem(event.pull_request, stamp, true, null), stamp.seq);
  },
  publish_failed: (state, event, stamp) => {
    notice(state, stamp, "problem", event.reason, "Nothing is lost: the work is in the workspace.");
  },
  evidence_attached: () => undefined,
  pull_request_changed: (state, event, stamp) => {
    if (state.pullRequest?.number !== event.number) return;
    state.pullRequest = { ...state.pullRequest, state: event.state };
    state.transcript.put(pullRequestItem(state.pullRequest, stamp, false, event.by), stamp.seq);
  },
};

function change(state: FoldState, id: string, next: (proof: ProofView) => ProofView): void {
  state.proofs = state.proofs.map((proof) => (proof.id === id ? next(proof) : proof));
}

function pullRequestItem(
  pull: PullRequest,
  { seq, at }: Stamp,
  opened: boolean,
  by: PullRequestItem["by"],
): PullRequestItem {
  const { number, title, state } = pull;
  return { kind: "pull-request", key: `pull-request-${seq}`, after: seq, at, number, title, state, by, opened };
}
