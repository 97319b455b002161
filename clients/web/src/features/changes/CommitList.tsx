import type { Commit } from "@outrider/protocol";
import type { ReactElement } from "react";

import { shortHash } from "@/ui/format";
import { Inline } from "@/ui/Inline";

/** Commits in order: number, subject, author. */
export function CommitList({ commits }: { readonly commits: readonly Commit[] }): ReactElement {
  return (
    <ul className="space-y-1.5">
      {commits.map((commit) => (
        <li key={commit.sha} className="flex gap-2.5">
          <code className="font-mono text-xs leading-5 text-muted" title={commit.sha}>
            {shortHash(commit.sha)}
          </code>
          <span className="min-w-0 [overflow-wrap:anywhere]">
            <Inline text={commit.subject} /> <span className="text-xs text-muted">{commit.author.name}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
