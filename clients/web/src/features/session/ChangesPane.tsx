import type { SessionView } from "@outrider/sdk";
import { useMemo, type ReactElement } from "react";

import { byPath, editsOf } from "@/features/changes/diffs";
import { FileList } from "@/features/changes/FileList";
import { usePullRequest } from "@/features/server/queries";
import { Empty } from "@/ui/Empty";
import { count, shortHash } from "@/ui/format";

/** Files and commits of the session: the pull request's diff where there is one, else the agent's edits. */
export function ChangesPane({ view }: { readonly view: SessionView }): ReactElement {
  const page = usePullRequest(view.created?.repository.name ?? "", view.pullRequest?.number ?? null);
  const edits = useMemo(() => editsOf(view), [view]);
  const whole = useMemo(() => (page.data ? byPath(page.data.diff) : null), [page.data]);
  if (view.files.length === 0 && edits.size === 0) {
    return <Empty title="Nothing is changed yet">Files that the agent changes are listed here.</Empty>;
  }
  const collected = view.files.length > 0;
  const files = collected ? view.files : [...edits].map(([path, diffs]) => ({ path, ...sum(diffs) }));
  const marked = view.proofs.at(-1)?.proof?.marked_files ?? [];
  return (
    <div className="space-y-5">
      <section>
        <h3 className="mb-2 text-xs font-medium text-muted">
          {count(files.length, "file")}
          {!whole && ", as the agent edited them"}
        </h3>
        <FileList files={files} diffs={whole ?? edits} marked={marked} />
      </section>
      {view.commits.length > 0 && (
        <section>
          <h3 className="mb-2 text-xs font-medium text-muted">{count(view.commits.length, "commit")}</h3>
          <ul className="space-y-1.5">
            {view.commits.map((commit) => (
              <li key={commit.sha} className="flex gap-2">
                <code className="font-mono text-xs leading-5 text-muted" title={commit.sha}>
                  {shortHash(commit.sha)}
                </code>
                <span className="min-w-0 [overflow-wrap:anywhere]">{commit.subject}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function sum(diffs: readonly { added: number; deleted: number }[]): { added: number; deleted: number } {
  return {
    added: diffs.reduce((total, diff) => total + diff.added, 0),
    deleted: diffs.reduce((total, diff) => total + diff.deleted, 0),
  };
}
