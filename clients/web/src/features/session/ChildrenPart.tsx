import type { ChildItem } from "@outrider/sdk";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";

import { count } from "@/ui/format";

import { ChildState } from "./ChildState";

/** The sessions that this one started, each as it is now. */
export function ChildrenPart({ items }: { readonly items: readonly ChildItem[] }): ReactElement {
  return (
    <ul className="divide-y divide-line rounded-lg border border-line">
      {items.map((child) => (
        <li key={child.session} className="px-3 py-2">
          <div className="flex items-baseline justify-between gap-3">
            {child.state === "refused" ? (
              <span className="min-w-0 truncate">{child.title}</span>
            ) : (
              <Link
                to="/sessions/$session"
                params={{ session: child.session }}
                className="min-w-0 truncate font-medium hover:underline"
              >
                {child.title}
              </Link>
            )}
            <span className="shrink-0 text-xs">
              <ChildState child={child} />
            </span>
          </div>
          <p className="truncate text-xs text-muted">{facts(child)}</p>
        </li>
      ))}
    </ul>
  );
}

function facts({ repository, result, refusal }: ChildItem): string {
  if (refusal) return refusal;
  return result ? `${repository} · ${count(result.commits, "commit")} · ${result.summary}` : repository;
}
