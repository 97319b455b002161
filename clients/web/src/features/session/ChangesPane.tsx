import type { Commit } from "@outrider/protocol";
import type { SessionView } from "@outrider/sdk";
import { useMemo, type ReactElement } from "react";

import { CommitList } from "@/features/changes/CommitList";
import { byPath, editsOf } from "@/features/changes/diffs";
import { FileList } from "@/features/changes/FileList";
import { usePullRequest } from "@/features/server/queries";
import { Empty } from "@/ui/Empty";
import { count } from "@/ui/format";

/** Files and commits of the session: the pull request's diff where there is one, else the agent's edits. */
export function ChangesPane({ view }: { readonly view: SessionView }): ReactElement {
  const { created, pullRequest, commits, proofs } = view;
  const page = usePullRequest(created?.repository.name ?? "", pullRequest?.number ?? null).data;
  const edits = useMemo(() => editsOf(view), [view]);
  const whole = useMemo(() => (page ? byPath(page.diff) : null), [page]);
  const files = view.files.length > 0 ? view.files : [...edits].map(([path, diffs]) => ({ path, ...sum(diffs) }));
  if (files.length === 0) {
    return <Empty title="Nothing is changed yet">Files that the agent changes are listed here.</Empty>;
  }
  const marked = proofs.at(-1)?.proof?.marked_files;
  return (
    <div className="space-y-5">
      <section>
        <h3 className="mb-2 text-xs font-medium text-muted">
          {count(files.length, "file")}
          {!whole && ", as the agent edited them"}
        </h3>
        <FileList files={files} diffs={whole ?? edits} marked={marked ?? []} />
      </section>
      <Commits commits={commits} />
    </div>
  );
}

function Commits({ commits }: { readonly commits: readonly Commit[] }): ReactElement | null {
  if (commits.length === 0) return null;
  return (
    <section>
      <h3 className="mb-2 text-xs font-medium text-muted">{count(commits.length, "commit")}</h3>
      <CommitList commits={commits} />
    </section>
  );
}

function sum(diffs: readonly { added: number; deleted: number }[]): { added: number; deleted: number } {
  return {
    added: diffs.reduce((total, diff) => total + diff.added, 0),
    deleted: diffs.reduce((total, diff) => total + diff.deleted, 0),
  };
}
