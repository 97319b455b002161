import type { ProofView } from "@outrider/sdk";
import { PanelRight } from "lucide-react";
import type { ReactElement } from "react";

import { EvidenceCard } from "@/features/evidence/EvidenceCard";
import { Button } from "@/ui/Button";
import { count } from "@/ui/format";

interface ProofBlockProps {
  readonly proof: ProofView | undefined;
  readonly session: string;
  readonly rehearsal: boolean;
  readonly onOpen: () => void;
}

/** The proof where it happened: verdict and pair; commands and logs are one click away. */
export function ProofBlock({ proof, session, rehearsal, onOpen }: ProofBlockProps): ReactElement | null {
  if (!proof) return null;
  return (
    <EvidenceCard view={proof} session={session} rehearsal={rehearsal} brief={proof.proof !== null}>
      {proof.results.length > 0 && (
        <Button onClick={onOpen} look="quiet" className="-mb-2 -ml-3">
          <PanelRight aria-hidden size={14} />
          {count(proof.results.length, "run")} with commands and logs
        </Button>
      )}
    </EvidenceCard>
  );
}
