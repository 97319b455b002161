import type { SessionView } from "@outrider/sdk";
import { Link } from "@tanstack/react-router";
import { ArrowLeft, Box, GitFork } from "lucide-react";
import type { ReactElement } from "react";

import { Presence } from "@/features/people/Presence";
import { PullState } from "@/features/pull/PullState";
import { RehearsalMark } from "@/features/sessions/SessionRows";
import { ShelfButtons } from "@/features/sessions/Shelf";
import { SessionState } from "@/features/sessions/SessionState";
import { ISOLATION } from "@/ui/words";

import { Title } from "./Title";

interface SessionTitleProps {
  readonly session: string;
  readonly view: SessionView;
  readonly loaded: boolean;
}

/** Title, state, repository, pull request and isolation in two lines. */
export function SessionTitle({ session, view, loaded }: SessionTitleProps): ReactElement {
  return (
    <header className="border-b border-line px-4 py-2 sm:px-6">
      <div className="flex items-center gap-2">
        <Link to="/" aria-label="All sessions" className="-ml-1 rounded p-1 text-muted hover:text-ink wide:hidden">
          <ArrowLeft aria-hidden size={16} />
        </Link>
        <Title key={view.title} session={session} title={view.title || session} />
        <span className="ml-auto" />
        <Presence presence={view.presence} />
        {loaded && (
          <span className="flex shrink-0">
            <ShelfButtons
              below={view.children.filter((child) => child.state !== "refused").length}
              session={session}
              pinned={view.pinned}
              status={view.archiving ? "archived" : view.status}
              waiting={view.queue.length}
            />
          </span>
        )}
      </div>
      <Facts view={view} loaded={loaded} />
    </header>
  );
}

function Facts({ view, loaded }: Omit<SessionTitleProps, "session">): ReactElement {
  const { created, pullRequest, sandbox } = view;
  return (
    <div className="flex min-h-5 flex-wrap items-center gap-x-4 gap-y-0.5 text-xs text-muted">
      {loaded && <SessionState status={view.status} />}
      {created && (
        <span className="truncate">
          {created.repository.name} · {created.base_branch}
        </span>
      )}
      {created?.parent && (
        <Link
          to="/sessions/$session"
          params={{ session: created.parent.session }}
          className="inline-flex items-center gap-1.5 hover:underline"
        >
          <GitFork aria-hidden size={14} />
          started by another session
        </Link>
      )}
      {pullRequest && (
        <Link
          to="/pulls/$repository/$number"
          params={{ repository: pullRequest.repository, number: String(pullRequest.number) }}
          className="inline-flex min-h-6 items-center hover:underline"
        >
          <PullState state={pullRequest.state} number={pullRequest.number} />
        </Link>
      )}
      {sandbox?.isolation && (
        <span className="inline-flex items-center gap-1.5" title={ISOLATION_NOTE[sandbox.isolation]}>
          <Box aria-hidden size={14} />
          {ISOLATION[sandbox.isolation]}
        </span>
      )}
      {created?.model.provider === "rehearsal" && <RehearsalMark />}
    </div>
  );
}

const ISOLATION_NOTE = {
  vm: "The sandbox is a virtual machine with a kernel of its own.",
  "user-kernel": "The sandbox's system calls are answered by a kernel in user space.",
  "shared-kernel": "The sandbox shares the kernel of this machine with you: weaker than a virtual machine.",
} as const;
