import type { ChangedFile } from "@outrider/protocol";
import { ChevronRight, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useState, type ReactElement } from "react";

import type { FileDiff } from "@/ui/diff";

const DiffView = lazy(() => import("@/ui/DiffView").then((module) => ({ default: module.DiffView })));

/** A file with what is known of it: what was stored by the first release does not say its kind. */
export type ShownFile = Omit<ChangedFile, "kind"> & Partial<Pick<ChangedFile, "kind">>;

interface FileListProps {
  readonly files: readonly ShownFile[];
  /** What there is to see of each file, by path. */
  readonly diffs: ReadonlyMap<string, readonly FileDiff[]>;
  /** Files that say how checks run: a reviewer looks at them first. */
  readonly marked?: readonly string[];
  readonly startsOpen?: boolean;
}

/** Changed files with how much of them changed; each opens to its diff. */
export function FileList({ files, diffs, marked = [], startsOpen = false }: FileListProps): ReactElement {
  return (
    <ul className="space-y-2">
      {files.map((file) => (
        <li key={file.path} className="overflow-hidden rounded-lg border border-line bg-raised">
          <OneFile
            file={file}
            diffs={diffs.get(file.path) ?? []}
            marked={marked.includes(file.path)}
            startsOpen={startsOpen && files.length <= MOST_OPEN}
          />
        </li>
      ))}
    </ul>
  );
}

const MOST_OPEN = 12;

interface OneFileProps {
  readonly file: ShownFile;
  readonly diffs: readonly FileDiff[];
  readonly marked: boolean;
  readonly startsOpen: boolean;
}

function OneFile({ file, diffs, marked, startsOpen }: OneFileProps): ReactElement {
  const [open, setOpen] = useState(startsOpen && diffs.length > 0);
  const shows = diffs.length > 0;
  return (
    <>
      <button
        type="button"
        aria-expanded={shows ? open : undefined}
        disabled={!shows}
        onClick={() => setOpen(!open)}
        className="flex min-h-9 w-full items-center gap-2 px-3 py-1 text-left enabled:hover:bg-hover"
      >
        <ChevronRight
          aria-hidden
          size={14}
          className={`shrink-0 text-muted ${open ? "rotate-90" : ""} ${shows ? "" : "invisible"}`}
        />
        {file.kind && <Kind kind={file.kind} />}
        <span className="min-w-0 flex-1 font-mono text-xs [overflow-wrap:anywhere]">{file.path}</span>
        {marked && (
          <span className="inline-flex items-center gap-1 text-xs text-warn" title="This file says how checks run">
            <TriangleAlert aria-hidden size={12} />
            how checks run
          </span>
        )}
        <Lines file={file} />
      </button>
      {open && (
        <div className="border-t border-line bg-paper">
          <Suspense fallback={<p className="px-3 py-2 text-muted">…</p>}>
            {diffs.map((diff, i) => (
              <DiffView key={i} file={diff} />
            ))}
          </Suspense>
        </div>
      )}
    </>
  );
}

const KIND = {
  added: { letter: "A", look: "text-pass" },
  changed: { letter: "M", look: "text-warn" },
  deleted: { letter: "D", look: "text-fail" },
} as const satisfies Record<ChangedFile["kind"], unknown>;

function Kind({ kind }: { readonly kind: ChangedFile["kind"] }): ReactElement {
  return (
    <abbr title={kind} className={`shrink-0 font-mono text-xs font-medium no-underline ${KIND[kind].look}`}>
      {KIND[kind].letter}
    </abbr>
  );
}

function Lines({ file }: { readonly file: ShownFile | ChangedFile }): ReactElement {
  if (file.added === null || file.deleted === null) return <span className="text-xs text-muted">binary</span>;
  return (
    <span className="tabular shrink-0 text-xs" aria-label={`${file.added} added, ${file.deleted} deleted`}>
      <span className="text-pass">+{file.added}</span> <span className="text-fail">−{file.deleted}</span>
    </span>
  );
}
