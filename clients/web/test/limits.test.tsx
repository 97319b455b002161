import type { LimitUse } from "@outrider/protocol";
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import { LimitTable } from "@/features/fleet/Limits";

function limit(setting: string, per: LimitUse["per"], rest: Partial<LimitUse>): LimitUse {
  return { setting, what: setting.toLowerCase(), per, value: null, unit: "count", used: null, until: null, ...rest };
}

function show(...limits: LimitUse[]): void {
  render(
    <>
      <h2 id="limits">Limits</h2>
      <LimitTable limits={limits} />
    </>,
  );
}

function cells(name: string): (string | null)[] {
  const row = screen.getByRole("rowheader", { name: new RegExp(name) }).closest("tr")!;
  return within(row)
    .getAllByRole("cell")
    .map((cell) => cell.textContent)
    .slice(-2);
}

afterEach(cleanup);

describe("the table of limits", () => {
  it("says each in its own unit, and which there are none of", () => {
    show(
      limit("MEMORY", "sandbox", { value: 4 * 2 ** 30, unit: "bytes" }),
      limit("TIME", "sandbox", { value: 21_600, unit: "seconds" }),
      limit("COST", "tree", { value: 12.5, unit: "dollars" }),
      limit("HOURLY", "deployment", { used: 1234 }),
    );
    expect(cells("MEMORY")).toEqual(["", "4 GB"]);
    expect(cells("TIME")).toEqual(["", "6 h"]);
    expect(cells("COST")).toEqual(["", "$12.5"]);
    expect(cells("HOURLY")).toEqual(["1,234", "no limit"]);
  });

  it("says what is full, in words, and when there is room again", () => {
    show(
      limit("UPLOADS", "person", { value: 5, used: 5, until: new Date(Date.now() + 600_000).toISOString() }),
      limit("SESSIONS", "person", { value: 5, used: 4 }),
    );
    expect(screen.getByRole("rowheader", { name: /UPLOADS/ }).textContent).toMatch(/full.*room again in 10 minutes/);
    expect(screen.getByRole("rowheader", { name: /SESSIONS/ }).textContent).not.toContain("full");
  });

  it("has one group for each of whom they are for", () => {
    show(limit("A", "prompt", {}), limit("B", "deployment", {}), limit("C", "prompt", {}));
    const groups = screen.getAllByRole("rowheader").filter((one) => one.getAttribute("scope") === "rowgroup");
    expect(groups.map((one) => one.textContent)).toEqual(["All people together", "A prompt"]);
  });
});
