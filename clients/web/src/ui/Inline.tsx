import { Fragment, type ReactElement } from "react";

/** A sentence in which `words between backticks` are code, and nothing else has a meaning. */
export function Inline({ text }: { readonly text: string }): ReactElement {
  const parts = text.split(/`([^`\n]+)`/);
  return (
    <>
      {parts.map((part, i) =>
        i % 2 === 1 ? (
          <code key={i} className="rounded bg-hover px-1 py-px font-mono text-[0.88em]">
            {part}
          </code>
        ) : (
          <Fragment key={i}>{part}</Fragment>
        ),
      )}
    </>
  );
}
