import { useEffect, useId, useRef, type ReactElement, type ReactNode } from "react";

import { Button } from "./Button";

interface ConfirmProps {
  readonly title: string;
  readonly children: ReactNode;
  /** The verb on the button: what will be done. */
  readonly verb: string;
  /** A lesser choice beside it. */
  readonly other?: { readonly verb: string; readonly onChoose: () => void };
  readonly look?: "primary" | "danger";
  readonly busy: boolean;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}

/** Asks before something that cannot be taken back. The browser's own dialog keeps focus and Escape right. */
export function Confirm({ title, children, verb, other, look = "primary", busy, onConfirm, onCancel }: ConfirmProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={onCancel}
      className="m-auto w-[min(28rem,calc(100vw-2rem))] rounded-xl border bg-raised p-5 text-ink shadow-xl"
    >
      <h2 id={titleId} className="text-lg font-semibold">
        {title}
      </h2>
      <div className="mt-2 text-base text-muted">{children}</div>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button onClick={onCancel} disabled={busy}>
          Cancel
        </Button>
        {other && (
          <Button onClick={other.onChoose} disabled={busy}>
            {other.verb}
          </Button>
        )}
        <Button look={look} onClick={onConfirm} disabled={busy}>
          {verb}
        </Button>
      </div>
    </dialog>
  );
}
