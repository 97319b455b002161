import type { ChildItem, SessionView } from "@outrider/sdk";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";

import { useMembers } from "@/features/people/queries";
import { useMe } from "@/features/server/queries";
import { count } from "@/ui/format";

import { ChildState } from "./ChildState";
import { SpawnForm } from "./SpawnForm";

/** The sessions that were started below this one, each as it is now, and a way to start one. */
export function ChildrenPart({ view }: { readonly view: SessionView }): ReactElement {
  const { children, created } = view;
  return (
    <div className="space-y-3">
      {children.length > 0 ? (
        <ChildList items={children} />
      ) : (
        <p className="text-muted">None yet. An agent starts sessions for parts of its work; people can, too.</p>
      )}
      {created && view.status !== "archived" && !view.archiving && (
        <Starting session={created.session} repository={created.repository.name} membersSeq={view.membersSeq} />
      )}
    </div>
  );
}

interface StartingProps {
  readonly session: string;
  readonly repository: string;
  readonly membersSeq: number;
}

/** Only for who may: no viewer, and no guest. */
function Starting({ session, repository, membersSeq }: StartingProps): ReactElement | null {
  const members = useMembers(session, membersSeq).data;
  const me = useMe().data;
  if (!members || members.yours === "viewer" || !me || me.guest) return null;
  return <SpawnForm session={session} repository={repository} />;
}

function ChildList({ items }: { readonly items: readonly ChildItem[] }): ReactElement {
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
