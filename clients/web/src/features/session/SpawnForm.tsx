import { asProblem } from "@outrider/sdk";
import { GitFork } from "lucide-react";
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { useRepositories } from "@/features/server/queries";
import { Button } from "@/ui/Button";
import { Keys, submitsOnKeys } from "@/ui/Keys";
import { ProblemNotice } from "@/ui/Notice";

import { useCommand, type Command } from "./useCommand";

interface SpawnFormProps {
  readonly session: string;
  /** The repository of the session: where nothing else is chosen. */
  readonly repository: string;
}

/** Starts a session below this one, by a person's hand: first a button, then its form in the same place. */
export function SpawnForm({ session, repository }: SpawnFormProps): ReactElement {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !open) opener.current?.focus();
    wasOpen.current = open;
  }, [open]);
  if (open) return <Form session={session} repository={repository} onClose={() => setOpen(false)} />;
  return (
    <Button ref={opener} onClick={() => setOpen(true)}>
      <GitFork aria-hidden size={14} />
      Start a session below this one
    </Button>
  );
}

interface FormProps extends SpawnFormProps {
  readonly onClose: () => void;
}

function Form({ session, repository, onClose }: FormProps): ReactElement {
  const { busy, problem, start } = useSpawn(session);
  const box = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => box.current?.focus(), []);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const prompt = String(form.get("prompt"));
    if (prompt.trim() && !busy && (await start(prompt, String(form.get("repository"))))) onClose();
  };
  const leave = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !busy) onClose();
  };
  return (
    // Escape anywhere in the form leaves it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <form aria-label="Start a session" onSubmit={(event) => void submit(event)} onKeyDown={leave} className="space-y-2">
      <div className="rounded-xl border border-line-strong bg-raised focus-within:border-accent">
        <label htmlFor={id} className="sr-only">
          What should it do?
        </label>
        <textarea
          ref={box}
          id={id}
          name="prompt"
          rows={3}
          required
          onKeyDown={submitsOnKeys}
          placeholder="What should it do? It sees nothing of this session but these words."
          className="field-sizing-content block max-h-60 min-h-20 w-full resize-none bg-transparent px-3 pt-2.5 outline-none
            placeholder:text-muted"
        />
        <div className="flex flex-wrap items-center gap-2 p-2">
          <RepositoryChoice own={repository} />
          <span className="ml-auto flex items-center gap-2">
            <Keys />
            <Button look="quiet" disabled={busy} onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" look="primary" disabled={busy}>
              {busy ? "Starting" : "Start"}
            </Button>
          </span>
        </div>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      <p className="text-xs text-muted">It gets a sandbox, a branch and a pull request of its own, and shares this session&apos;s budget.</p>
    </form>
  );
}

/** One of the repositories that are known here; the session's own first. */
function RepositoryChoice({ own }: { readonly own: string }): ReactElement {
  const others = (useRepositories().data ?? []).map(({ name }) => name).filter((name) => name !== own);
  return (
    <label className="min-w-0">
      <span className="sr-only">Repository</span>
      <select
        name="repository"
        className="h-8 max-w-full min-w-0 rounded-md border border-line bg-paper px-2 hover:border-line-strong pointer-coarse:h-9"
      >
        <option value={own}>{own} (as here)</option>
        {others.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

type Spawn = Omit<Command, "run"> & { readonly start: (prompt: string, repository: string) => Promise<boolean> };

/** A request that got no answer is sent again under its key; one that was refused is another request the next time. */
function useSpawn(session: string): Spawn {
  const key = useRef(crypto.randomUUID());
  const { busy, problem, run } = useCommand();
  const spawn = async (prompt: string, repository: string): Promise<void> => {
    try {
      await api.spawn(session, { prompt, repository, key: key.current });
    } catch (error) {
      if (asProblem(error).status !== 0) key.current = crypto.randomUUID();
      throw error;
    }
  };
  return { busy, problem, start: (prompt, repository) => run(() => spawn(prompt, repository)) };
}
