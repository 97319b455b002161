import { FileText, X } from "lucide-react";
import type { ReactElement } from "react";

import { IconButton } from "@/ui/Button";
import { bytes } from "@/ui/format";
import { ProblemNotice } from "@/ui/Notice";

import type { Attachments, FileDraft } from "./useAttachments";

/** The files that a prompt will bring: what they are, how far they are, and a way to take each away again. */
export function FileDrafts({ attachments }: { readonly attachments: Attachments }): ReactElement | null {
  const { drafts, remove } = attachments;
  if (drafts.length === 0) return null;
  const problem = drafts.find((draft) => draft.problem)?.problem;
  return (
    <div className="space-y-2 px-3 pt-3">
      <ul aria-label="Files of this prompt" className="flex flex-wrap gap-2">
        {drafts.map((draft) => (
          <li
            key={draft.key}
            className={`flex max-w-full items-center gap-2 rounded-lg border bg-surface py-1 pr-1 pl-1.5
              ${draft.problem ? "border-fail" : "border-line"}`}
          >
            <Look draft={draft} />
            <span className="min-w-0">
              <span className="block max-w-40 truncate" title={draft.name}>
                {draft.name}
              </span>
              <Progress draft={draft} />
            </span>
            <IconButton label={`Remove ${draft.name}`} onClick={() => remove(draft.key)}>
              <X aria-hidden size={14} />
            </IconButton>
          </li>
        ))}
      </ul>
      {problem && <ProblemNotice problem={problem} />}
    </div>
  );
}

function Look({ draft }: { readonly draft: FileDraft }): ReactElement {
  if (draft.preview) return <img src={draft.preview} alt="" className="size-9 rounded object-cover" />;
  return <FileText aria-hidden size={18} className="mx-1.5 shrink-0 text-muted" />;
}

function Progress({ draft }: { readonly draft: FileDraft }): ReactElement {
  if (draft.problem) return <span className="block text-xs text-fail">not sent</span>;
  if (draft.done) return <span className="tabular block text-xs text-muted">{bytes(draft.size)}</span>;
  return (
    <progress aria-label={`Sending ${draft.name}`} value={draft.share} max={1} className="block h-1 w-24 accent-accent">
      {Math.round(draft.share * 100)} %
    </progress>
  );
}
