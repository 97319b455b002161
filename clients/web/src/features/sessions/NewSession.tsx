import type { Me } from "@outrider/protocol";
import { asProblem, type Problem } from "@outrider/sdk";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowUp } from "lucide-react";
import { useEffect, useId, useMemo, useRef, type FormEvent, type ReactElement, type ReactNode } from "react";

import { AttachButton } from "@/features/attachments/AttachButton";
import { dropping } from "@/features/attachments/dropping";
import { FileDrafts } from "@/features/attachments/FileDrafts";
import { useAttachments, type Attachments } from "@/features/attachments/useAttachments";
import { api } from "@/features/server/api";
import { useRepositories } from "@/features/server/queries";
import { TypingTeller } from "@/features/sessions/typing";
import { Button } from "@/ui/Button";
import { Keys, submitsOnKeys } from "@/ui/Keys";
import { ProblemNotice } from "@/ui/Notice";

const LAST_REPOSITORY = "outrider-repository";
const FIELD =
  "h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2.5 placeholder:text-muted hover:border-line-strong";

interface NewSessionProps {
  readonly me: Me | undefined;
  /** A prompt to begin with, such as the demo's. */
  readonly draft: Me["demo"];
}

/** What to do, and where. */
export function NewSession({ me, draft }: NewSessionProps): ReactElement {
  const form = useNewSession(draft);
  const repositories = useRepositories();
  const listId = useId();
  return (
    <form onSubmit={form.submit} onInput={form.heard} {...dropping(form.files.add)} className="space-y-2">
      <div className="rounded-xl border border-line-strong bg-raised shadow-xs focus-within:border-accent">
        <FileDrafts attachments={form.files} />
        <label htmlFor="prompt" className="sr-only">
          What should be done?
        </label>
        <textarea
          id="prompt"
          name="prompt"
          rows={4}
          required
          defaultValue={draft?.prompt}
          onKeyDown={submitsOnKeys}
          placeholder="What should be done? Say what is wrong or wanted, and how you would notice that it is right."
          className="field-sizing-content block min-h-28 w-full resize-none bg-transparent px-4 pt-3.5 text-base outline-none
            placeholder:text-muted"
        />
        <div className="grid grid-cols-2 items-end gap-2 p-3 sm:grid-cols-[1.2fr_0.7fr_1.6fr_auto]">
          <Labelled name="Repository">
            <input
              name="repository"
              required
              list={listId}
              defaultValue={draft?.repository ?? localStorage.getItem(LAST_REPOSITORY) ?? ""}
              placeholder="path, URL or name"
              autoComplete="off"
              spellCheck={false}
              className={FIELD}
            />
          </Labelled>
          <datalist id={listId}>
            {repositories.data?.map((repository) => (
              <option key={repository.name} value={repository.name}>
                {repository.source}
              </option>
            ))}
          </datalist>
          <Labelled name="Branch">
            <input name="branch" placeholder="its default" autoComplete="off" spellCheck={false} className={FIELD} />
          </Labelled>
          <Labelled name="Model">
            <select name="model" key={me?.default_model} defaultValue={me?.default_model} className={FIELD}>
              {me?.models.map((model) => (
                <option key={model} value={model}>
                  {model.startsWith("rehearsal/") ? "rehearsal (a script)" : model}
                </option>
              ))}
            </select>
          </Labelled>
          <span className="flex items-center justify-end gap-3">
            <AttachButton onFiles={form.files.add} />
            <Keys />
            <Button type="submit" look="primary" disabled={form.busy || !form.files.ready}>
              <ArrowUp aria-hidden size={14} />
              {form.busy ? "Starting" : "Start"}
            </Button>
          </span>
        </div>
      </div>
      {form.problem && <ProblemNotice problem={form.problem} />}
    </form>
  );
}

function Labelled({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <label className="block min-w-0">
      <span className="mb-0.5 block text-xs text-muted">{name}</span>
      {children}
    </label>
  );
}

interface NewSessionState {
  readonly submit: (event: FormEvent<HTMLFormElement>) => void;
  readonly heard: (event: FormEvent<HTMLFormElement>) => void;
  readonly files: Attachments;
  readonly busy: boolean;
  readonly problem: Problem | null;
}

function useNewSession(draft: NewSessionProps["draft"]): NewSessionState {
  const navigate = useNavigate();
  const client = useQueryClient();
  const files = useAttachments();
  const key = useRef(crypto.randomUUID()); // kept over retries, so that a lost answer does not start a second session
  const start = useMutation<string, Problem, FormData>({
    mutationFn: (form) => api.createSession({ ...fieldsOf(form), attachments: [...files.refs], key: key.current }),
    onSuccess: async (session) => {
      void client.invalidateQueries({ queryKey: ["sessions"] });
      await navigate({ to: "/sessions/$session", params: { session } });
    },
  });
  const heard = useTyping();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (!files.ready) return;
    const form = new FormData(event.currentTarget);
    if (!draft) localStorage.setItem(LAST_REPOSITORY, field(form, "repository"));
    start.mutate(form);
  };
  return { submit, heard, files, busy: start.isPending, problem: start.error ? asProblem(start.error) : null };
}

/** Has a sandbox held once a repository is named and there are words; what the server says to that is no concern. */
function useTyping(): NewSessionState["heard"] {
  const teller = useMemo(() => new TypingTeller((what) => void api.typing(what).catch(() => undefined)), []);
  useEffect(() => () => teller.end(), [teller]);
  return (event) => {
    const { prompt, ...what } = fieldsOf(new FormData(event.currentTarget));
    if (prompt) teller.heard(what);
  };
}

function fieldsOf(form: FormData): { repository: string; prompt: string; branch?: string; model?: string } {
  const [branch, model] = [field(form, "branch"), field(form, "model")];
  return {
    repository: field(form, "repository"),
    prompt: field(form, "prompt"),
    ...(branch && { branch }),
    ...(model && { model }),
  };
}

function field(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}
