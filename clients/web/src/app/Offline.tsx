import type { Problem } from "@outrider/sdk";
import { Unplug } from "lucide-react";
import type { ReactElement } from "react";

import { Button } from "@/ui/Button";

interface OfflineProps {
  readonly problem: Problem;
  readonly onRetry: () => void;
}

/** Said at the top of the page while the server does not answer. */
export function Offline({ problem, onRetry }: OfflineProps): ReactElement {
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1 bg-warn-wash px-4 py-1.5">
      <Unplug aria-hidden size={14} className="shrink-0 text-warn" />
      <span className="font-medium">{problem.sentence}</span>
      <span className="min-w-0 flex-1 text-muted">{problem.remedy}</span>
      <Button look="quiet" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
