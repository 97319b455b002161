import type { KeyboardEvent, ReactElement } from "react";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The keys that send; not shown where there is no keyboard. */
export function Keys(): ReactElement {
  return (
    <span className="hidden text-xs text-muted pointer-fine:inline">
      <kbd className="font-sans">{IS_MAC ? "⌘" : "Ctrl"}</kbd> <kbd className="font-sans">{IS_MAC ? "↩" : "Enter"}</kbd>
    </span>
  );
}

/** Ctrl or Cmd with Enter sends the form that the box is in; Enter alone is a new line. */
export function submitsOnKeys(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey)) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}
