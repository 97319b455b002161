import type { SessionView } from "@outrider/sdk";
import type { ReactElement } from "react";

import { EvidenceCard } from "@/features/evidence/EvidenceCard";
import { Empty } from "@/ui/Empty";

/** The newest proof whole, older ones below it. */
export function EvidencePane({ view, session }: { readonly view: SessionView; readonly session: string }): ReactElement {
  const rehearsal = view.created?.model.provider === "rehearsal";
  if (view.proofs.length === 0) {
    return (
      <Empty title="No evidence yet">
        When the agent is done, the repository&apos;s checks run in clean sandboxes without it: on the base, on the base
        with the new tests, and on the new head. What they show stands here.
      </Empty>
    );
  }
  return (
    <div className="space-y-4">
      {view.proofs.toReversed().map((proof) => (
        <EvidenceCard key={proof.id} view={proof} session={session} rehearsal={rehearsal} />
      ))}
    </div>
  );
}
