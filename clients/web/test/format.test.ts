import { describe, expect, it } from "vitest";

import { ago, ahead, bytes, cost, count, initials, seconds, span } from "@/ui/format";

describe("numbers for people", () => {
  it.each([
    [0.04, "0.0 s"],
    [1.26, "1.3 s"],
    [59.6, "60 s"],
    [63, "1 min 3 s"],
    [3_725, "1 h 2 min"],
  ])("%d seconds are %s", (value, text) => {
    expect(seconds(value)).toBe(text);
  });

  it("never shows a cost that is not known as nothing", () => {
    expect(cost(0, 2)).toBe("price not known");
    expect(cost(0.5, 1)).toBe("$0.50 and calls of unknown price");
    expect(cost(0.0123)).toBe("$0.0123");
  });

  it("counts", () => {
    expect(count(1, "test")).toBe("1 test");
    expect(count(1234, "test")).toBe("1,234 tests");
  });

  it("says how long ago", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    expect(ago("2026-01-01T23:59:50Z", now)).toBe("just now");
    expect(ago("2026-01-01T21:00:00Z", now)).toBe("3 hours ago");
    expect(ago("2026-01-01T00:00:00Z", now)).toBe("yesterday");
  });

  it("says how long until then", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    expect(ahead("2026-01-02T00:22:30Z", now)).toBe("in 23 minutes");
    expect(ahead("2026-01-01T23:59:00Z", now)).toBe("in a moment");
  });

  it.each([
    [26, "26 B"],
    [1536, "1.5 kB"],
    [20 << 20, "20 MB"],
    [10 * 2 ** 30, "10 GB"],
  ])("%d bytes are %s", (size, text) => {
    expect(bytes(size)).toBe(text);
  });

  it.each([
    [21_600, "6 h"],
    [90, "1 min 30 s"],
    [0, "0 s"],
  ])("a span of %d seconds is %s", (value, text) => {
    expect(span(value)).toBe(text);
  });

  it("has initials for any name", () => {
    expect(initials("Ada Mensah")).toBe("AM");
    expect(initials("root")).toBe("R");
    expect(initials("Ana María López")).toBe("AL");
  });
});
