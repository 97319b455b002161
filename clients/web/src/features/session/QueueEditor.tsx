import type { QueuedPrompt } from "@outrider/sdk";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type ReactElement } from "react";

import { AttachButton } from "@/features/attachments/AttachButton";
import { dropping } from "@/features/attachments/dropping";
import { FileDrafts } from "@/features/attachments/FileDrafts";
import { draftSent, useAttachments } from "@/features/attachments/useAttachments";
import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { Keys, submitsOnKeys } from "@/ui/Keys";
import { Notice, ProblemNotice } from "@/ui/Notice";

import { useCommand } from "./useCommand";

interface Draft {
  readonly text: string;
  /** Names of its files. */
  readonly files: readonly string[];
}

/** What was written last, so that it is still there when the prompt's turn begins under the editor's hands. */
const drafts = new Map<string, Draft>();

const FRAME = "rounded-md border border-line-strong bg-raised focus-within:border-accent";
const BOX = "field-sizing-content block max-h-60 min-h-16 w-full resize-none bg-transparent px-3 py-2 outline-none";

interface QueueEditorProps {
  readonly session: string;
  /** The prompt as it was when the editor was opened. */
  readonly opened: QueuedPrompt;
  /** The prompt as it is now. */
  readonly prompt: QueuedPrompt;
  readonly onReopen: (prompt: QueuedPrompt) => void;
  readonly onClose: () => void;
}

/** Edits a waiting prompt in its place. What somebody else writes meanwhile is shown, and not written over unseen. */
export function QueueEditor({ session, opened, prompt, onReopen, onClose }: QueueEditorProps): ReactElement {
  const [text, setText] = useState(opened.text);
  const [first] = useState(() => opened.attachments.map((file) => draftSent(session, file)));
  const files = useAttachments(first);
  const { busy, problem, run } = useCommand();
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  useEffect(() => {
    drafts.set(prompt.id, { text, files: files.drafts.map((file) => file.name) });
  }, [prompt.id, text, files.drafts]);
  const close = (): void => {
    drafts.delete(prompt.id);
    onClose();
  };
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!text.trim() || busy || !files.ready) return;
    const what = { text, attachments: files.refs, revision: opened.revision };
    if (await run(() => api.editPrompt(session, prompt.id, what))) close();
  };
  const leave = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !busy) close();
  };
  return (
    // Escape anywhere in the form leaves it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form
      aria-label="Edit the prompt"
      onSubmit={(event) => void save(event)}
      onKeyDown={leave}
      {...dropping(files.add)}
      className="space-y-2 p-2"
    >
      <div className={FRAME}>
        <FileDrafts attachments={files} />
        <textarea
          ref={box}
          aria-label={`Prompt of ${prompt.author.person.name}`}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={submitsOnKeys}
          className={BOX}
        />
      </div>
      {prompt.revision !== opened.revision && <Meanwhile prompt={prompt} />}
      {problem && <ProblemNotice problem={problem} />}
      <div className="flex items-center gap-2">
        <AttachButton onFiles={files.add} />
        <span className="flex-1" />
        <Keys />
        <Button look="quiet" disabled={busy} onClick={close}>
          Cancel
        </Button>
        {prompt.revision === opened.revision ? (
          <Button type="submit" look="primary" disabled={busy || !text.trim() || !files.ready}>
            Save
          </Button>
        ) : (
          <Button disabled={busy} onClick={() => onReopen(prompt)}>
            Keep mine
          </Button>
        )}
      </div>
    </form>
  );
}

/** What somebody else has made of it while it was edited here. */
function Meanwhile({ prompt }: { readonly prompt: QueuedPrompt }): ReactElement {
  const names = prompt.attachments.map((file) => file.name);
  const now = (
    <>
      <span className="whitespace-pre-wrap">{prompt.text}</span>
      {names.length > 0 && <span className="block text-xs [overflow-wrap:anywhere]">With {names.join(", ")}</span>}
    </>
  );
  return (
    <Notice tone="warning" remedy={now}>
      {prompt.edited_by?.name ?? "Somebody"} has changed it meanwhile. It says now:
    </Notice>
  );
}

/** The turn of a prompt began while it was edited: what was written is not lost. */
export function LateEdit({ prompt, onClose }: { readonly prompt: QueuedPrompt; readonly onClose: () => void }): ReactElement | null {
  const [draft] = useState(() => drafts.get(prompt.id));
  const lost = draft !== undefined && !isSame(draft, prompt);
  useEffect(() => {
    if (!lost) onClose();
  }, [lost, onClose]);
  if (!lost) return null;
  const close = (): void => {
    drafts.delete(prompt.id);
    onClose();
  };
  return (
    <div className="mt-2 space-y-2">
      <Notice tone="warning" remedy="It is answered as it was. Copy what you wrote, and send it as a prompt of its own.">
        This prompt left the queue while you were editing it.
      </Notice>
      <textarea readOnly aria-label="What you wrote" value={draft.text} className={`${BOX} ${FRAME}`} />
      {draft.files.length > 0 && <p className="text-xs text-muted [overflow-wrap:anywhere]">With {draft.files.join(", ")}</p>}
      <div className="flex justify-end">
        <Button onClick={close}>Done</Button>
      </div>
    </div>
  );
}

function isSame({ text, files }: Draft, prompt: QueuedPrompt): boolean {
  return text === prompt.text && files.join("\n") === prompt.attachments.map((file) => file.name).join("\n");
}
