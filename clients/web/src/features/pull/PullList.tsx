import type { PullRequest } from "@outrider/protocol";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";

import { usePullRequests } from "@/features/server/queries";
import { Empty } from "@/ui/Empty";
import { ProblemNotice } from "@/ui/Notice";
import { Time } from "@/ui/Time";

import { PullState } from "./PullState";

interface PullListProps {
  readonly state: string;
  readonly repository: string;
}

/** Pull requests, the newest first. */
export function PullList({ state, repository }: PullListProps): ReactElement {
  const pulls = usePullRequests();
  if (pulls.error) return <ProblemNotice problem={pulls.error} />;
  if (!pulls.data) return <p className="text-muted">…</p>;
  if (pulls.data.length === 0) {
    return <Empty title="No pull requests yet">A session opens one when its work is done.</Empty>;
  }
  const chosen = pulls.data.filter((pull) => ["", pull.state].includes(state) && ["", pull.repository].includes(repository));
  if (chosen.length === 0) return <p className="border-y border-line py-3 text-muted">No pull request is like that.</p>;
  return (
    <ul className="divide-y divide-line border-y border-line">
      {chosen.map((pull) => (
        <Row key={`${pull.repository} ${pull.number}`} pull={pull} />
      ))}
    </ul>
  );
}

function Row({ pull }: { readonly pull: PullRequest }): ReactElement {
  return (
    <li>
      <Link
        to="/pulls/$repository/$number"
        params={{ repository: pull.repository, number: String(pull.number) }}
        className="-mx-3 block rounded-lg px-3 py-3 hover:bg-hover"
      >
        <span className="flex items-baseline justify-between gap-4">
          <span className="min-w-0 truncate text-base font-medium">{pull.title}</span>
          <span className="shrink-0 text-xs text-muted">
            <Time at={pull.opened_at} />
          </span>
        </span>
        <span className="mt-0.5 flex flex-wrap items-center gap-x-4 gap-y-0.5 text-xs">
          <PullState state={pull.state} number={pull.number} />
          <span className="text-muted">{pull.repository}</span>
          <span className="text-muted">{pull.author.name}</span>
        </span>
      </Link>
    </li>
  );
}
