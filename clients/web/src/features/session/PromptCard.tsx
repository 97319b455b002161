import type { PromptItem } from "@outrider/sdk";
import type { ReactElement } from "react";

import { FileStrip } from "@/features/attachments/FileStrip";
import { Face } from "@/ui/Face";
import { Inline } from "@/ui/Inline";
import { Time } from "@/ui/Time";

/** A person's prompt. */
export function PromptCard({ item, session }: { readonly item: PromptItem; readonly session: string }): ReactElement {
  const { person, via } = item.prompt.author;
  const editor = item.prompt.edited_by;
  return (
    <article aria-label={`Prompt of ${person.name}`} className="rounded-xl border border-line bg-surface px-4 py-3">
      <header className="flex items-center gap-2">
        <Face name={person.name} />
        <span className="font-semibold">{person.name}</span>
        <span className="text-xs text-muted">
          {via !== "web" && via !== "api" && <>by {via} · </>}
          <Time at={item.queuedAt} />
          {editor && editor.email !== person.email && <> · edited by {editor.name}</>}
        </span>
      </header>
      <p className="mt-2 text-base whitespace-pre-wrap [overflow-wrap:anywhere]"><Inline text={item.prompt.text} /></p>
      <FileStrip session={session} files={item.prompt.attachments} />
    </article>
  );
}
