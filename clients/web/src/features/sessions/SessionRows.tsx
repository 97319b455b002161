import type { SessionSummary } from "@outrider/protocol";
import { Link } from "@tanstack/react-router";
import { Clapperboard } from "lucide-react";
import type { ReactElement } from "react";

import { Verdict } from "@/features/evidence/Verdict";
import { PullState } from "@/features/pull/PullState";
import { cost } from "@/ui/format";
import { Time } from "@/ui/Time";

import { INDENT, nested } from "./nested";
import { SessionState } from "./SessionState";

/** Sessions as a list to read: newest change first. */
export function SessionRows({ sessions }: { readonly sessions: readonly SessionSummary[] }): ReactElement {
  return (
    <ul className="divide-y divide-line border-y border-line">
      {nested(sessions).map(({ session, depth }) => (
        <li key={session.id} className={INDENT[Math.min(depth, 3)]}>
          <Link
            to="/sessions/$session"
            params={{ session: session.id }}
            className="-mx-3 block rounded-lg px-3 py-3 hover:bg-hover"
          >
            <span className="flex items-baseline justify-between gap-4">
              <span className="min-w-0 truncate text-base font-medium">{session.title}</span>
              <span className="shrink-0 text-xs text-muted">
                <Time at={session.updated_at} />
              </span>
            </span>
            <span className="mt-0.5 flex flex-wrap items-center gap-x-4 gap-y-0.5 text-xs">
              <SessionState status={session.status} />
              {session.verdict && <Verdict verdict={session.verdict} />}
              {session.pull_request !== null && (
                <PullState state={session.pull_request_state ?? "open"} number={session.pull_request} />
              )}
              <span className="text-muted">{session.repository}</span>
              <span className="text-muted">{session.author}</span>
              {isRehearsal(session.model) ? <RehearsalMark /> : <Cost usd={session.cost_usd} />}
            </span>
          </Link>
        </li>
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
