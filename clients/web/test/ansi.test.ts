import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseAnsi } from "@/ui/ansi";

const written = (text: string): string =>
  parseAnsi(text)
    .map((span) => span.text)
    .join("");

describe("text of a program", () => {
  it("keeps colours as classes", () => {
    expect(parseAnsi("a\x1b[1;31mb\x1b[0mc")).toEqual([
      { text: "a", codes: [] },
      { text: "b", codes: [1, 31] },
      { text: "c", codes: [] },
    ]);
  });

  it("replaces one colour by the next and ends each by its own code", () => {
    expect(parseAnsi("\x1b[1m\x1b[31m\x1b[32ma\x1b[39mb\x1b[22mc").map((span) => span.codes)).toEqual([[1, 32], [1], []]);
  });

  it.each([
    ["cursor moves", "a\x1b[2Jb\x1b[10;5Hc", "abc"],
    ["a window title", "a\x1b]0;title\x07b", "ab"],
    ["a hyperlink", "\x1b]8;;http://x.test\x1b\\here\x1b]8;;\x1b\\", "here"],
    ["a device string", "a\x1bPq#0\x1b\\b", "ab"],
    ["one-byte controls", "a\x9bb\x07c\x08", "abc"],
    ["a sequence that never ends", "a\x1b[12", "a"],
    ["a line written over", "10 %\r100 %\ndone", "100 %\ndone"],
    ["line ends of Windows", "a\r\nb", "a\nb"],
  ])("drops %s", (_, text, shown) => {
    expect(written(text)).toBe(shown);
  });

  it("never lets a control character through", () => {
    const wild = fc.string({ unit: fc.constantFrom("\x1b", "[", "]", "m", "1", ";", "a", "\n", "\x07", "\\", "\x9b", "P") });
    fc.assert(
      fc.property(wild, (text) => {
        expect([...written(text)].every((letter) => letter === "\n" || letter === "\t" || letter >= " ")).toBe(true);
      }),
    );
  });
});
