import { useMemo, type ReactElement, type ReactNode } from "react";

import type { DiffLine, FileDiff, Hunk } from "./diff";
import { highlightLines, languageOf, type Token } from "./highlight";

const SIGN = { same: " ", added: "+", deleted: "−" } as const;
const SPOKEN = { same: undefined, added: "added", deleted: "deleted" } as const;

/** One file's change, both line numbers on the left. */
export function DiffView({ file }: { readonly file: FileDiff }): ReactElement {
  if (file.binary) return <p className="px-3 py-2 text-muted">A binary file: it is not shown.</p>;
  if (file.hunks.length === 0) return <p className="px-3 py-2 text-muted">No line was changed.</p>;
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={`Changes of ${file.path}`}>
      <table className="diff">
        {file.hunks.map((hunk) => (
          <HunkRows key={hunk.header} hunk={hunk} language={languageOf(file.path)} />
        ))}
      </table>
    </div>
  );
}

function HunkRows({ hunk, language }: { readonly hunk: Hunk; readonly language: string }): ReactElement {
  const tokens = useMemo(() => tokensOf(hunk, language), [hunk, language]);
  return (
    <tbody>
      <tr className="hunk">
        <td colSpan={4}>{hunk.header}</td>
      </tr>
      {hunk.lines.map((line, i) => (
        <tr key={i} className={line.kind}>
          <td className="number">{line.before}</td>
          <td className="number">{line.after}</td>
          <td className="sign" aria-label={SPOKEN[line.kind]}>
            {SIGN[line.kind]}
          </td>
          <td>{paint(tokens[i] ?? [], line)}</td>
        </tr>
      ))}
    </tbody>
  );
}

/** Both sides are highlighted whole, so that a string over several lines keeps its colour. */
function tokensOf(hunk: Hunk, language: string): readonly (readonly Token[])[] {
  const side = (without: DiffLine["kind"]): Token[][] => {
    const lines = hunk.lines.filter((line) => line.kind !== without);
    return highlightLines(lines.map((line) => line.text).join("\n"), language) as Token[][];
  };
  const [before, after] = [side("added"), side("deleted")];
  return hunk.lines.map((line) => {
    const own = line.kind === "deleted" ? before.shift() : after.shift();
    if (line.kind === "same") before.shift();
    return own ?? [];
  });
}

function paint(tokens: readonly Token[], line: DiffLine): ReactNode {
  let start = 0;
  return tokens.map((token, i) => {
    const end = start + token.text.length;
    const node = (
      <span key={i} className={token.className}>
        {line.changed ? markPart(token.text, line.changed[0] - start, line.changed[1] - start) : token.text}
      </span>
    );
    start = end;
    return node;
  });
}

function markPart(text: string, from: number, to: number): ReactNode {
  const [start, end] = [Math.max(0, from), Math.min(text.length, to)];
  if (start >= end) return text;
  return (
    <>
      {text.slice(0, start)}
      <mark>{text.slice(start, end)}</mark>
      {text.slice(end)}
    </>
  );
}
