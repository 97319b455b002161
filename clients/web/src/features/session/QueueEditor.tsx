import type { QueuedPrompt } from "@outrider/sdk";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { Keys, submitsOnKeys } from "@/ui/Keys";
import { Notice, ProblemNotice } from "@/ui/Notice";

import { useCommand } from "./useCommand";

/** What was written last, so that it is still there when the prompt's turn begins under the editor's hands. */
const drafts = new Map<string, string>();

const BOX = "field-sizing-content block max-h-60 min-h-16 w-full resize-none rounded-md border border-line-strong bg-raised px-3 py-2";

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
  const { busy, problem, run } = useCommand();
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  const write = (words: string): void => {
    drafts.set(prompt.id, words);
    setText(words);
  };
  const close = (): void => {
    drafts.delete(prompt.id);
    onClose();
  };
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!text.trim() || busy) return;
    if (await run(() => api.editPrompt(session, prompt.id, text, opened.revision))) close();
  };
  const leave = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !busy) close();
  };
  return (
    <form onSubmit={(event) => void save(event)} className="space-y-2 p-2">
      <textarea
        ref={box}
        aria-label={`Prompt of ${prompt.author.person.name}`}
        value={text}
        onChange={(event) => write(event.target.value)}
        onKeyDown={(event) => {
          submitsOnKeys(event);
          leave(event);
        }}
        className={BOX}
      />
      {prompt.revision !== opened.revision && (
        <Notice tone="warning" remedy={<span className="whitespace-pre-wrap">{prompt.text}</span>}>
          {prompt.edited_by?.name ?? "Somebody"} has changed it meanwhile. It says now:{" "}
        </Notice>
      )}
      {problem && <ProblemNotice problem={problem} />}
      <div className="flex items-center justify-end gap-2">
        <Keys />
        <Button look="quiet" disabled={busy} onClick={close}>
          Cancel
        </Button>
        {prompt.revision === opened.revision ? (
          <Button type="submit" look="primary" disabled={busy || !text.trim()}>
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

/** The turn of a prompt began while it was edited: what was written is not lost. */
export function LateEdit({ prompt, onClose }: { readonly prompt: QueuedPrompt; readonly onClose: () => void }): ReactElement | null {
  const [text] = useState(() => drafts.get(prompt.id));
  useEffect(() => {
    if (text === undefined || text === prompt.text) onClose();
  }, [text, prompt, onClose]);
  if (text === undefined || text === prompt.text) return null;
  const close = (): void => {
    drafts.delete(prompt.id);
    onClose();
  };
  return (
    <div className="mt-2 space-y-2">
      <Notice tone="warning" remedy="It is answered as it was. Copy what you wrote, and send it as a prompt of its own.">
        This prompt left the queue while you were editing it.
      </Notice>
      <textarea readOnly aria-label="What you wrote" value={text} className={BOX} />
      <div className="flex justify-end">
        <Button onClick={close}>Done</Button>
      </div>
    </div>
  );
}
