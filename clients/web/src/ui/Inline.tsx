import { Fragment, type ReactElement } from "react";

const PARTS = /(`[^`\n]+`|https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)])/;

/** A sentence in which `words between backticks` are code and addresses are links. Nothing else has a meaning. */
export function Inline({ text }: { readonly text: string }): ReactElement {
  return (
    <>
      {text.split(PARTS).map((part, i) => (
        <Fragment key={i}>{i % 2 === 1 ? <Marked part={part} /> : part}</Fragment>
      ))}
    </>
  );
}

function Marked({ part }: { readonly part: string }): ReactElement {
  if (part.startsWith("`")) {
    return <code className="rounded bg-hover px-1 py-px font-mono text-[0.88em]">{part.slice(1, -1)}</code>;
  }
  return (
    <a href={part} rel="noreferrer noopener" className="text-accent underline [overflow-wrap:anywhere]">
      {part}
    </a>
  );
}
