import type { PresenceFrame } from "@outrider/protocol";
import { ArrowUp } from "lucide-react";
import { useId, useRef, useState, type FormEvent, type ReactElement } from "react";

import { AttachButton } from "@/features/attachments/AttachButton";
import { dropping } from "@/features/attachments/dropping";
import { FileDrafts } from "@/features/attachments/FileDrafts";
import { useAttachments } from "@/features/attachments/useAttachments";
import { OthersTyping } from "@/features/people/Presence";
import { api } from "@/features/server/api";
import { useMe } from "@/features/server/queries";
import { Button } from "@/ui/Button";
import { Keys, submitsOnKeys } from "@/ui/Keys";
import { ProblemNotice } from "@/ui/Notice";

import { useCommand } from "./useCommand";
import { useTyping } from "./useTyping";

interface ComposerProps {
  readonly session: string;
  /** Whether a turn runs, so that a prompt will wait. */
  readonly running: boolean;
  readonly presence: PresenceFrame | null;
  readonly showTyping: (typing: boolean) => void;
}

/** Where the next prompt is written. What was not accepted stays in the box. */
export function Composer({ session, running, presence, showTyping }: ComposerProps): ReactElement {
  const [text, setText] = useState("");
  const key = useRef(crypto.randomUUID());
  const { busy, problem, run } = useCommand();
  const files = useAttachments();
  const id = useId();

  const me = useMe();
  const { tell, stop } = useTyping(session, running, showTyping);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!text.trim() || busy || !files.ready) return;
    const sent = await run(() => api.sendPrompt(session, text, key.current, files.refs));
    if (!sent) return; // the same key again, so that a retry cannot queue it twice
    key.current = crypto.randomUUID();
    setText("");
    stop();
    files.clear();
  };

  return (
    <form onSubmit={(event) => void submit(event)} {...dropping(files.add)} className="space-y-2">
      {problem && <ProblemNotice problem={problem} />}
      <div className="rounded-xl border border-line-strong bg-raised focus-within:border-accent">
        <FileDrafts attachments={files} />
        <label htmlFor={id} className="sr-only">
          Prompt
        </label>
        <textarea
          id={id}
          rows={2}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            tell();
          }}
          onKeyDown={submitsOnKeys}
          placeholder={running ? "Add a prompt: it waits until this turn is done" : "What should happen next?"}
          className="field-sizing-content block max-h-60 w-full resize-none bg-transparent px-3.5 pt-3 text-base
            outline-none placeholder:text-muted"
        />
        <div className="flex items-center gap-3 px-2 pb-2">
          <AttachButton onFiles={files.add} />
          <OthersTyping presence={presence} own={me.data?.person.email} />
          <Keys />
          <Button type="submit" look="primary" disabled={busy || !text.trim() || !files.ready}>
            <ArrowUp aria-hidden size={14} />
            {running ? "Queue" : "Send"}
          </Button>
        </div>
      </div>
    </form>
  );
}
