import type { SessionSummary } from "@outrider/protocol";
import { Link } from "@tanstack/react-router";
import { Pin, Plus } from "lucide-react";
import type { ReactElement } from "react";

import { useSessions } from "@/features/server/useSessions";
import { SkipLink } from "@/ui/SkipLink";
import { Time } from "@/ui/Time";

import { INDENT, nested } from "./nested";
import { isRehearsal, RehearsalMark } from "./SessionRows";
import { SessionState } from "./SessionState";

/** All sessions beside the one that is looked at. */
export function Sidebar({ chosen }: { readonly chosen: string }): ReactElement {
  const sessions = useSessions();
  return (
    <nav aria-label="Sessions" className="relative flex h-full flex-col bg-surface">
      <SkipLink to="transcript">Skip to the transcript</SkipLink>
      <div className="flex h-11 shrink-0 items-center justify-between px-4">
        <h2 className="font-semibold">Sessions</h2>
        <Link
          to="/"
          className="inline-flex h-7 items-center gap-1 rounded-md px-2 font-medium text-muted hover:bg-hover hover:text-ink"
        >
          <Plus aria-hidden size={14} />
          New
        </Link>
      </div>
      <ul className="min-h-0 flex-1 space-y-0.5 overflow-y-auto px-2 pb-4">
        {nested(sessions.data ?? []).map(({ session, depth }) => (
          <Row key={session.id} session={session} depth={depth} chosen={session.id === chosen} />
        ))}
      </ul>
    </nav>
  );
}

interface RowProps {
  readonly session: SessionSummary;
  /** How far below another it stands. */
  readonly depth: number;
  readonly chosen: boolean;
}

function Row({ session, depth, chosen }: RowProps): ReactElement {
  return (
    <li className={INDENT[Math.min(depth, 3)]}>
      <Link
        to="/sessions/$session"
        params={{ session: session.id }}
        aria-current={chosen ? "page" : undefined}
        className={`block rounded-lg px-2 py-1.5 ${chosen ? "bg-raised shadow-xs ring-1 ring-line" : "hover:bg-hover"}`}
      >
        <span className={`block truncate ${chosen ? "font-medium" : ""}`}>
          {session.pinned && <Pin aria-label="Pinned:" size={12} className="mr-1 inline fill-current text-accent" />}
          {session.title}
        </span>
        <span className="flex items-center gap-2 text-xs text-muted">
          <SessionState status={session.status} />
          {isRehearsal(session.model) ? <RehearsalMark /> : <span className="truncate">{session.repository}</span>}
          <span className="ml-auto">
            <Time at={session.updated_at} brief />
          </span>
        </span>
      </Link>
    </li>
  );
}
