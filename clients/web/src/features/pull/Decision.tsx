import type { Proof, PullRequestPage } from "@outrider/protocol";
import { asProblem } from "@outrider/sdk";
import { CircleCheck, CircleHelp, GitMerge, TriangleAlert } from "lucide-react";
import { useState, type ReactElement } from "react";

import { Verdict } from "@/features/evidence/Verdict";
import { useDecision } from "@/features/server/queries";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { ProblemNotice } from "@/ui/Notice";
import { State } from "@/ui/State";

/** Merge or close, each after a question. */
export function Decision({ page }: { readonly page: PullRequestPage }): ReactElement {
  const { pull_request: pull, mergeable } = page;
  const decision = useDecision(pull.repository, pull.number);
  const [asked, setAsked] = useState<"merge" | "close" | null>(null);
  const decide = (what: "merge" | "close"): void => decision.mutate(what, { onSettled: () => setAsked(null) });
  if (pull.state !== "open") {
    return <p className="text-muted">{pull.state === "merged" ? `Merged into ${pull.base_branch}.` : "Closed without merging."}</p>;
  }
  return (
    <section aria-label="Decision" className="rounded-xl border border-line bg-surface p-4">
      <div className="mb-3 space-y-1">
        <Verdict verdict={page.proof?.verdict ?? "not_run"} />
        <Mergeable mergeable={mergeable} base={pull.base_branch} />
      </div>
      {decision.error && <ProblemNotice problem={asProblem(decision.error)} />}
      <div className="mt-3 flex gap-2">
        <Button look="primary" className="flex-1" disabled={mergeable === false} onClick={() => setAsked("merge")}>
          <GitMerge aria-hidden size={14} />
          Merge
        </Button>
        <Button onClick={() => setAsked("close")}>Close</Button>
      </div>
      {asked === "merge" && (
        <Confirm
          title={`Merge into ${pull.base_branch}?`}
          verb="Merge"
          busy={decision.isPending}
          onConfirm={() => decide("merge")}
          onCancel={() => setAsked(null)}
        >
          <p>{MERGE_NOTE[page.proof?.verdict ?? "not_run"]}</p>
        </Confirm>
      )}
      {asked === "close" && (
        <Confirm
          title="Close without merging?"
          verb="Close it"
          look="danger"
          busy={decision.isPending}
          onConfirm={() => decide("close")}
          onCancel={() => setAsked(null)}
        >
          <p>The branch and the session are kept.</p>
        </Confirm>
      )}
    </section>
  );
}

const MERGE_NOTE: Record<Proof["verdict"], string> = {
  fix_proved: "The fix is proved: tests that were red are green.",
  fix_proved_weakly: "The fix is proved only weakly. Look at the evidence before you merge.",
  still_green: "All checks pass, but no test shows that this mends anything.",
  red: "The checks fail at its head. Merging brings that into the base branch.",
  not_run: "Nothing about this work was verified.",
};

function Mergeable({ mergeable, base }: { readonly mergeable: boolean | null; readonly base: string }): ReactElement {
  if (mergeable !== false) {
    const known = mergeable ?? false;
    const word = known ? `Merges cleanly into ${base}` : "Not known yet whether it merges";
    return (
      <p>
        <State icon={known ? CircleCheck : CircleHelp} tone={known ? "pass" : "plain"} word={word} />
      </p>
    );
  }
  return (
    <div>
      <State icon={TriangleAlert} tone="fail" word={`Conflicts with ${base}`} />
      <p className="mt-1 text-xs text-muted">Ask for it in the session: the agent can bring the branch up to date.</p>
    </div>
  );
}
