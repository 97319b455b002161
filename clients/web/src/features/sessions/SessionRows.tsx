import type { SessionSummary } from "@outrider/protocol";
import { Clapperboard } from "lucide-react";
import type { ReactElement } from "react";

import { Verdict } from "@/features/evidence/Verdict";
import { PullState } from "@/features/pull/PullState";
import { cost } from "@/ui/format";

import { nested } from "./nested";
import { SessionRow } from "./SessionRow";
import { SessionState } from "./SessionState";
import { ShelfButtons } from "./Shelf";

/** Sessions as a list to read. */
export function SessionRows({ sessions }: { readonly sessions: readonly SessionSummary[] }): ReactElement {
  if (sessions.length === 0) {
    return <p className="border-y border-line py-3 text-muted">No session is like that.</p>;
  }
  return (
    <ul className="divide-y divide-line border-y border-line">
      {nested(sessions).map(({ session, depth }) => (
        <SessionRow
          key={session.id}
          depth={depth}
          id={session.id}
          title={session.title}
          at={session.updated_at}
          pinned={session.pinned}
          actions={<ShelfButtons session={session.id} pinned={session.pinned} status={session.status} />}
        >
          <SessionState status={session.status} />
          {session.verdict && <Verdict verdict={session.verdict} />}
          {session.pull_request !== null && (
            <PullState state={session.pull_request_state ?? "open"} number={session.pull_request} />
          )}
          <span className="text-muted">{session.repository}</span>
          <span className="text-muted">{session.author}</span>
          {isRehearsal(session.model) ? <RehearsalMark /> : <Cost usd={session.cost_usd} />}
        </SessionRow>
      ))}
    </ul>
  );
}

export function isRehearsal(model: string): boolean {
  return model.startsWith("rehearsal/");
}

/** Says that no model did this. */
export function RehearsalMark(): ReactElement {
  return (
    <span className="inline-flex items-center gap-1.5 font-medium whitespace-nowrap text-warn">
      <Clapperboard aria-hidden size={14} />
      rehearsal
    </span>
  );
}

function Cost({ usd }: { readonly usd: number }): ReactElement | null {
  return usd > 0 ? <span className="tabular text-muted">{cost(usd)}</span> : null;
}
