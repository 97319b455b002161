/** Text of a program for a page: colours become classes, every other control sequence is dropped. */
export interface Span {
  readonly text: string;
  /** SGR numbers in force, such as `31` for red. */
  readonly codes: readonly number[];
}

// CSI (with its parameters apart), OSC and the other string sequences up to their end, and single-character escapes.
const SEQUENCE =
  /\x1b\[([0-9;:]*)[ -/]*([@-~])|\x1b\[[^@-~]*[@-~]?|[\x1b\x9d\x90][\]PX^_]?[^\x07\x1b]*(?:\x07|\x1b\\)|\x1b./g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** The spans of a text. A line that a carriage return wrote over shows only its last state. */
export function parseAnsi(text: string): readonly Span[] {
  const spans: Span[] = [];
  let codes: readonly number[] = [];
  let end = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    push(spans, text.slice(end, match.index), codes);
    if (match[2] === "m") codes = applySgr(codes, match[1] ?? "");
    end = match.index + match[0].length;
  }
  push(spans, text.slice(end), codes);
  return spans;
}

function push(spans: Span[], raw: string, codes: readonly number[]): void {
  const text = raw
    .replaceAll("\r\n", "\n")
    .replace(/[^\n]*\r(?!\n)/g, "")
    .replace(CONTROL, "");
  if (text) spans.push({ text, codes });
}

function applySgr(codes: readonly number[], parameters: string): readonly number[] {
  let next = codes;
  const numbers = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < numbers.length; i += 1) {
    const code = numbers[i] ?? 0;
    if (code === 38 || code === 48) return next; // 256 and true colours are not shown
    next = withCode(next, code);
  }
  return next;
}

function withCode(codes: readonly number[], code: number): readonly number[] {
  if (code === 0) return [];
  if (code === 22) return codes.filter((each) => each > 2);
  if (code === 39) return codes.filter((each) => !isColour(each));
  if (code >= 1 && code <= 4) return [...codes.filter((each) => each !== code), code];
  return isColour(code) ? [...codes.filter((each) => !isColour(each)), code] : codes;
}

function isColour(code: number): boolean {
  return (code >= 30 && code <= 37) || (code >= 90 && code <= 97);
}
