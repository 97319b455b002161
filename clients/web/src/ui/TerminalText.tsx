import { useMemo, type ReactElement } from "react";

import { parseAnsi } from "./ansi";

/** What a program printed, with its colours and without its other control sequences. */
export function TerminalText({ text, label }: { readonly text: string; readonly label: string }): ReactElement {
  const spans = useMemo(() => parseAnsi(text), [text]);
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className="code max-h-96 overflow-y-auto" tabIndex={0} aria-label={label}>
      {spans.map((span, i) =>
        span.codes.length === 0 ? (
          span.text
        ) : (
          <span key={i} className={span.codes.map((code) => `ansi-${code}`).join(" ")}>
            {span.text}
          </span>
        ),
      )}
    </pre>
  );
}
