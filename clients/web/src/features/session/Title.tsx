import { Pencil } from "lucide-react";
import { useId, useState, type FormEvent, type KeyboardEvent, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { IconButton } from "@/ui/Button";
import { ProblemNotice } from "@/ui/Notice";

import { useCommand } from "./useCommand";

interface TitleProps {
  readonly session: string;
  readonly title: string;
}

/** What the session is called, and the way to another title: Enter keeps it, Escape leaves it. */
export function Title({ session, title }: TitleProps): ReactElement {
  const [editing, setEditing] = useState(false);
  const { busy, problem, run } = useCommand();
  const id = useId();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const wanted = new FormData(event.currentTarget).get("title");
    void run(() => api.rename(session, typeof wanted === "string" ? wanted : "")).then((done) => done && setEditing(false));
  };
  const leave = (event: KeyboardEvent): void => {
    if (event.key === "Escape") setEditing(false);
  };
  if (!editing) {
    return (
      <span className="flex min-w-0 items-center gap-1">
        <h1 className="min-w-0 truncate text-lg font-semibold tracking-tight">{title}</h1>
        <IconButton label="Rename" onClick={() => setEditing(true)}>
          <Pencil aria-hidden size={13} />
        </IconButton>
      </span>
    );
  }
  return (
    <form onSubmit={submit} className="min-w-0 flex-1">
      <h1 className="sr-only">{title}</h1>
      <label htmlFor={id} className="sr-only">
        Title
      </label>
      <input
        id={id}
        name="title"
        defaultValue={title}
        maxLength={200}
        required
        readOnly={busy}
        // The person has just asked for it.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        onFocus={(event) => event.target.select()}
        onKeyDown={leave}
        onBlur={() => busy || setEditing(false)}
        className="h-8 w-full rounded-md border border-line-strong bg-raised px-2 text-lg font-semibold tracking-tight"
      />
      {problem && <ProblemNotice problem={problem} />}
    </form>
  );
}
