import type { Proof, ProofVerdict } from "@outrider/protocol";
import type { ProofView } from "@outrider/sdk";
import { LoaderCircle } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

import { Notice } from "@/ui/Notice";
import { count, shortHash } from "@/ui/format";
import { Inline } from "@/ui/Inline";
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
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 pt-3 text-lg">
        {proof ? <Verdict verdict={proof.verdict} /> : <State icon={LoaderCircle} tone="accent" word="Checking" live />}
        <span className="text-xs text-muted">
          {standing(proof)} · {shortHash(view.head)}
        </span>
      </header>
      <div className="space-y-4 px-4 pt-2 pb-4">
        {proof && <Shown proof={proof} brief={brief} />}
        {!brief && <Whole view={view} session={session} />}
        {rehearsal && (
          <p className="text-xs text-warn">
            {REHEARSAL} {view.results.length > 0 && "The checks really ran."}
          </p>
        )}
        {children}
      </div>
    </section>
  );
}

function standing(proof: Proof | null): string {
  if (!proof) return "not finished";
  return proof.verdict === "not_run" ? "unverified" : "verified by Outrider";
}

/** What a finished proof shows. */
function Shown({ proof, brief }: { readonly proof: Proof; readonly brief: boolean }): ReactElement {
  const meaning = MEANING[proof.verdict];
  return (
    <>
      <p className="text-sm text-muted">
        <Inline text={proof.summary} />
      </p>
      <Hero proof={proof} />
      {!brief && meaning && <p className="text-xs text-muted">{meaning}</p>}
      <Doubts proof={proof} brief={brief} />
    </>
  );
}

const MEANING: Record<ProofVerdict, string> = {
  fix_proved: "",
  fix_proved_weakly:
    "Weaker than a proof: the tests did not load before, or only exit codes are known, so they may be red for another reason.",
  still_green: "No test was red before. This shows that nothing broke, not that something was mended.",
  red: "",
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
    vanished.length > 0 && `${count(vanished.length, "test")} vanished`,
    skipped.length > 0 && `${count(skipped.length, "test")} newly skipped`,
    marked.length > 0 && `${count(marked.length, "changed file")} that can change how checks run`,
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
