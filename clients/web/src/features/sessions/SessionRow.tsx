import { Link } from "@tanstack/react-router";
import { Pin } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

import { Time } from "@/ui/Time";

import { INDENT } from "./nested";

interface SessionRowProps {
  readonly id: string;
  readonly title: string;
  readonly at: string;
  readonly pinned?: boolean;
  /** How many sessions above it in the list started one another down to it. */
  readonly depth?: number;
  /** What stands between the title and the facts, such as a passage that was found. */
  readonly passage?: ReactNode;
  readonly children: ReactNode;
  /** What can be done with it, beside the link. */
  readonly actions?: ReactNode;
}

/** One session in a list to read: title and time, then facts. All of it leads to the session. */
export function SessionRow({ id, title, at, pinned = false, depth = 0, ...rest }: SessionRowProps): ReactElement {
  const { passage, children, actions } = rest;
  return (
    <li className={`group relative ${INDENT[Math.min(depth, 3)] ?? ""}`}>
      <Link to="/sessions/$session" params={{ session: id }} className="-mx-3 block rounded-lg px-3 py-3 hover:bg-hover">
        <span className="flex items-baseline justify-between gap-4">
          <span className="min-w-0 truncate text-base font-medium">
            {pinned && <Pin aria-label="Pinned:" size={13} className="mr-1.5 inline fill-current text-accent" />}
            {title}
          </span>
          <span className="shrink-0 text-xs text-muted">
            <Time at={at} />
          </span>
        </span>
        {passage}
        <span className="mt-0.5 flex flex-wrap items-center gap-x-4 gap-y-0.5 text-xs">{children}</span>
      </Link>
      {actions && (
        <span
          className="absolute right-0 bottom-1.5 flex rounded-md bg-raised opacity-0 shadow-xs ring-1 ring-line
            group-hover:opacity-100 focus-within:opacity-100 pointer-coarse:hidden"
        >
          {actions}
        </span>
      )}
    </li>
  );
}
