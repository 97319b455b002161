import type { PlanEntry } from "@outrider/protocol";
import { Circle, CircleCheck, CircleDot, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";

import { Inline } from "@/ui/Inline";

const LOOK: Record<PlanEntry["status"], { icon: LucideIcon; look: string; text: string; word: string }> = {
  pending: { icon: Circle, look: "text-muted", text: "", word: "to do" },
  in_progress: { icon: CircleDot, look: "text-accent", text: "font-medium", word: "under way" },
  completed: { icon: CircleCheck, look: "text-pass", text: "text-muted", word: "done" },
};

/** The agent's plan as it is now. */
export function Plan({ entries }: { readonly entries: readonly PlanEntry[] }): ReactElement {
  if (entries.length === 0) return <p className="text-muted">The agent has made no plan.</p>;
  return (
    <ol className="space-y-1.5">
      {entries.map((entry, i) => {
        const { icon: Icon, look, text, word } = LOOK[entry.status];
        return (
          <li key={i} className="flex gap-2">
            <Icon aria-label={word} size={15} className={`mt-0.5 shrink-0 ${look}`} />
            <span className={`min-w-0 [overflow-wrap:anywhere] ${text}`}><Inline text={entry.text} /></span>
          </li>
        );
      })}
    </ol>
  );
}
