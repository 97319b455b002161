import type { Proof, ProofVerdict } from "@outrider/protocol";
import type { ProofView } from "@outrider/sdk";
import { LoaderCircle } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

import { Notice } from "@/ui/Notice";
import { shortHash } from "@/ui/format";
import { State } from "@/ui/State";
import { REHEARSAL } from "@/ui/words";

import { NameList, RedToGreen } from "./Cases";
import { CheckTable } from "./CheckTable";
import { rowsOf } from "./checks";
import { Hero } from "./Hero";
import { Verdict } from "./Verdict";

interface EvidenceCardProps {
  readonly view: ProofView;
  /** Whose logs are linked. */
  readonly session: string | null;
  readonly rehearsal: boolean;
  /** Only the verdict and the pair: the whole card is elsewhere on the page. */
  readonly brief?: boolean;
  readonly children?: ReactNode;
}

/** What we ran ourselves and what it shows. A solid frame is verified; a dashed one is not. */
export function EvidenceCard({ view, session, rehearsal, brief = false, children }: EvidenceCardProps): ReactElement {
  const { proof } = view;
  const verified = proof !== null && proof.verdict !== "not_run";
  return (
    <section
      aria-label="Evidence"
      className={`rounded-xl border bg-raised ${verified ? "border-line-strong" : "border-dashed border-line-strong"}`}
    >
      <header className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 px-4 pt-3 text-base">
        {proof ? <Verdict verdict={proof.verdict} /> : <State icon={LoaderCircle} tone="accent" word="Checking" live />}
        <span className="text-xs text-muted">
          {verified ? "verified by Outrider" : proof ? "unverified" : "not finished"} · {shortHash(view.head)}
        </span>
      </header>
      <div className="space-y-4 px-4 pt-2 pb-4">
        {proof && <p className="text-sm text-muted">{proof.summary}</p>}
        {proof && <Hero proof={proof} />}
        {proof && !brief && MEANING[proof.verdict] && <p className="text-xs text-muted">{MEANING[proof.verdict]}</p>}
        {proof && <Doubts proof={proof} brief={brief} />}
        {!brief && <Whole view={view} session={session} />}
        {rehearsal && <p className="text-xs text-warn">{REHEARSAL} The checks really ran.</p>}
        {children}
      </div>
    </section>
  );
}

const MEANING: Record<ProofVerdict, string> = {
  fix_proved: "",
  fix_proved_weakly:
    "Weaker than a proof: the tests did not load before, or only exit codes are known, so they may be red for another reason.",
  still_green: "No test was red before. This shows that nothing broke, not that something was mended.",
  red: "A check fails at the head of the work.",
  not_run: "Nothing of what the agent says about this work was verified.",
};

function Whole({ view, session }: { readonly view: ProofView; readonly session: string | null }): ReactElement {
  const rows = rowsOf(view.results, view.running);
  return (
    <>
      {rows.length > 0 && <CheckTable rows={rows} session={session} />}
      {view.proof && <RedToGreen proof={view.proof} />}
      {rows.length > 0 && (
        <p className="border-t border-line pt-3 text-xs text-muted">
          Each run was made in a clean sandbox, without the agent.
          {view.proof?.recipe_source && ` How to check comes from ${view.proof.recipe_source} at the base commit.`}
        </p>
      )}
    </>
  );
}

/** What a reviewer should look at before believing the rest. */
function Doubts({ proof, brief }: { readonly proof: Proof; readonly brief: boolean }): ReactElement | null {
  const { vanished, newly_skipped: skipped, marked_files: marked } = proof;
  const counts = [
    vanished.length > 0 && `${vanished.length} vanished`,
    skipped.length > 0 && `${skipped.length} newly skipped`,
    marked.length > 0 && `${marked.length} files that say how checks run were changed`,
  ].filter(Boolean);
  if (counts.length === 0) return null;
  return (
    <div className="space-y-3">
      <Notice tone="warning" remedy={brief ? undefined : "The base commit's way of checking was used."}>
        Look closer: {counts.join(", ")}.
      </Notice>
      {!brief && (
        <>
          <NameList title="Tests that vanished" names={vanished} />
          <NameList title="Tests newly skipped" names={skipped} />
          <NameList title="Changed files that say how checks run" names={marked} />
        </>
      )}
    </div>
  );
}
