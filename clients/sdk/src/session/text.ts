/**
 * The text of one message, put together from stored segments and unstored deltas.
 *
 * Offsets on the wire count characters (code points), JavaScript counts UTF-16 units: an emoji is one and two. All
 * arithmetic here is in code points.
 */
export interface MessageText {
  /** What is stored. */
  readonly sealed: string;
  /** How long that is, in code points. */
  readonly sealedLength: number;
  /** What has been typed after it and is not stored yet. */
  readonly tail: string;
  /** Whether a piece before the stored text never came: it was lost in a kill. */
  readonly hole: boolean;
}

export const NO_TEXT: MessageText = { sealed: "", sealedLength: 0, tail: "", hole: false };

/** A stored segment. It replaces what deltas said about the same characters. */
export function seal(text: MessageText, offset: number, segment: string): MessageText {
  const fresh = dropStart(segment, text.sealedLength - offset);
  if (!fresh) return text;
  const hole = text.hole || offset > text.sealedLength;
  const sealedLength = Math.max(offset, text.sealedLength) + countCharacters(fresh);
  const tail = dropStart(text.tail, sealedLength - text.sealedLength);
  return { sealed: text.sealed + fresh, sealedLength, tail, hole };
}

/** More unstored text. What is there already is dropped; `null` says that something in between is missing. */
export function extend(text: MessageText, offset: number, piece: string): MessageText | null {
  const length = text.sealedLength + countCharacters(text.tail);
  if (offset > length) return null;
  const fresh = dropStart(piece, length - offset);
  return fresh ? { ...text, tail: text.tail + fresh } : text;
}

/** Without the unstored end: what is left after the turn that wrote it was cut off. */
export function settle(text: MessageText): MessageText {
  return text.tail ? { ...text, tail: "" } : text;
}

const SURROGATE = /[\uD800-\uDFFF]/;

function countCharacters(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  return Array.from(text).length;
}

function dropStart(text: string, characters: number): string {
  if (characters <= 0) return text;
  if (!SURROGATE.test(text)) return text.slice(characters);
  return Array.from(text).slice(characters).join("");
}
