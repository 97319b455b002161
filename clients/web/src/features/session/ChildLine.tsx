import type { ChildItem } from "@outrider/sdk";
import { Link } from "@tanstack/react-router";
import { GitFork } from "lucide-react";
import type { ReactElement } from "react";

import { Verdict } from "@/features/evidence/Verdict";
import { count } from "@/ui/format";

import { ChildState } from "./ChildState";
import { Line } from "./Line";

/** A session that this one started, and what came of it. */
export function ChildLine({ item }: { readonly item: ChildItem }): ReactElement {
  return (
    <Line icon={GitFork} end={<ChildState child={item} />} detail={() => <Detail child={item} />}>
      <span className="text-muted">Started</span> {item.title} <span className="text-muted">in {item.repository}</span>
    </Line>
  );
}

/** How it ended, its work, its last words, and the way to it. */
function Detail({ child }: { readonly child: ChildItem }): ReactElement {
  const { result } = child;
  return (
    <>
      {child.refusal && <p>{child.refusal}</p>}
      {result && (
        <>
          <p>{result.summary}</p>
          <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted">
            <span>{count(result.commits, "commit")}</span>
            {result.branch && <span className="[overflow-wrap:anywhere]">{result.branch}</span>}
            {result.checks && <Verdict verdict={result.checks} />}
            {result.pull_request && (
              <a href={result.pull_request} className="text-accent hover:underline">
                pull request
              </a>
            )}
          </p>
          {result.answer && (
            <p className="max-h-64 overflow-y-auto border-l-2 border-line pl-3 whitespace-pre-wrap text-muted">
              {result.answer}
            </p>
          )}
        </>
      )}
      {child.state !== "refused" && (
        <Link
          to="/sessions/$session"
          params={{ session: child.session }}
          className="inline-block text-accent hover:underline"
        >
          Open the session
        </Link>
      )}
    </>
  );
}
