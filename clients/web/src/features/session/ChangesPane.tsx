import type { Changes, Commit } from "@outrider/protocol";
import type { SessionView } from "@outrider/sdk";
import { useMemo, type ReactElement } from "react";

import { CommitList } from "@/features/changes/CommitList";
import { byPath, editsOf } from "@/features/changes/diffs";
import { FileList, type ShownFile } from "@/features/changes/FileList";
import { usePullRequest } from "@/features/server/queries";
import { Empty } from "@/ui/Empty";
import { count } from "@/ui/format";

/** Files and commits of the session: the pull request's diff where there is one, else the agent's edits. */
export function ChangesPane({ view }: { readonly view: SessionView }): ReactElement {
  const { created, pullRequest, commits, proofs } = view;
  const page = usePullRequest(created?.repository.name ?? "", pullRequest?.number ?? null).data;
  const edits = useMemo(() => editsOf(view), [view]);
  const whole = useMemo(() => (page ? byPath(page.diff) : null), [page]);
  const files = useMemo(() => filesOf(view, edits), [view, edits]);
  if (files.length === 0) {
    return <Empty title="Nothing is changed yet">Files that the agent changes are listed here.</Empty>;
  }
  const marked = proofs.at(-1)?.proof?.marked_files;
  return (
    <div className="space-y-5">
      <section>
        <Heading view={view} files={files.length} edits={!whole && edits.size > 0} />
        <FileList files={files} diffs={whole ?? edits} marked={marked ?? []} />
      </section>
      <Commits commits={commits} />
    </div>
  );
}

function Sum({ changes }: { readonly changes: Changes }): ReactElement {
  return (
    <span className="tabular">
      , <span className="text-pass">+{changes.added}</span> <span className="text-fail">−{changes.deleted}</span>, committed
      or not
    </span>
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

/** What git says, else what was collected, else what the agent edited. */
function filesOf(view: SessionView, edits: ReturnType<typeof editsOf>): readonly ShownFile[] {
  const known = view.changes?.files ?? view.files;
  return known.length > 0 ? known : [...edits].map(([path, diffs]) => ({ path, ...sum(diffs) }));
}

function Heading(props: { readonly view: SessionView; readonly files: number; readonly edits: boolean }): ReactElement {
  const { view, files, edits } = props;
  return (
    <h3 className="mb-2 text-xs font-medium text-muted">
      {count(Math.max(view.changes?.count ?? 0, files), "file")}
      {view.changes && <Sum changes={view.changes} />}
      {edits && "; each opens to the agent's edits"}
    </h3>
  );
}

function sum(diffs: readonly { added: number; deleted: number }[]): { added: number; deleted: number } {
  return {
    added: diffs.reduce((total, diff) => total + diff.added, 0),
    deleted: diffs.reduce((total, diff) => total + diff.deleted, 0),
  };
}
