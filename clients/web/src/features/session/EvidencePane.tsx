import type { SessionView } from "@outrider/sdk";
import { useState, type ReactElement } from "react";

import { EvidenceCard } from "@/features/evidence/EvidenceCard";
import { Button } from "@/ui/Button";
import { Empty } from "@/ui/Empty";

/** The newest proof; older ones when they are asked for. */
export function EvidencePane({ view, session }: { readonly view: SessionView; readonly session: string }): ReactElement {
  const [all, setAll] = useState(false);
  const rehearsal = view.created?.model.provider === "rehearsal";
  if (view.proofs.length === 0) {
    return (
      <Empty title="No evidence yet">
        When the agent is done, the repository&apos;s checks run in clean sandboxes without it: on the base, on the base
        with the new tests, and on the new head. What they show stands here.
      </Empty>
    );
  }
  const shown = all ? view.proofs : view.proofs.slice(-1);
  return (
    <div className="space-y-4">
      {shown.toReversed().map((proof) => (
        <EvidenceCard key={proof.id} view={proof} session={session} rehearsal={rehearsal} />
      ))}
      {!all && view.proofs.length > 1 && (
        <Button look="quiet" onClick={() => setAll(true)}>
          Show earlier evidence <span className="tabular">({view.proofs.length - 1})</span>
        </Button>
      )}
    </div>
  );
}
