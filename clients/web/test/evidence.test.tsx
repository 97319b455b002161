import type { Proof, Recorded } from "@outrider/protocol";
import { SessionFold, type ProofView } from "@outrider/sdk";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import proved from "../../sdk/fixtures/s-k4q7ab2xyz.json";
import red from "../../sdk/fixtures/s-redredred2.json";
import notRun from "../../sdk/fixtures/s-rehearsal2.json";

import { EvidenceCard } from "@/features/evidence/EvidenceCard";

function proofOf(tape: unknown): ProofView {
  const fold = new SessionFold();
  for (const recorded of tape as Recorded[]) fold.apply(recorded);
  return fold.view().proofs[0]!;
}

function show(view: ProofView, rehearsal = false): HTMLElement {
  render(<EvidenceCard view={view} session="s-aaaa" rehearsal={rehearsal} />);
  return screen.getByRole("region", { name: "Evidence" });
}

function withProof(view: ProofView, change: Partial<Proof>): ProofView {
  return { ...view, proof: { ...view.proof!, ...change } };
}

afterEach(cleanup);

describe("the evidence card", () => {
  it("shows a proved fix as a pair, and says that it is verified", () => {
    const card = show(proofOf(proved));
    for (const words of ["Fix proved", "4 red", "4 green", /verified by Outrider/]) {
      expect(within(card).getByText(words)).toBeTruthy();
    }
    expect(card.className).not.toContain("border-dashed");
  });

  it("has each check's commands, exit codes, commits and logs one click away", () => {
    const card = show(proofOf(proved));
    fireEvent.click(within(card).getByRole("button", { name: "tests" }));
    expect(within(card).getAllByText(/uv run pytest -q --junitxml/)).toHaveLength(3);
    const log = within(card).getAllByRole("link", { name: /Whole log/ })[1] as HTMLAnchorElement;
    expect(log.getAttribute("href")).toBe("/api/sessions/s-aaaa/artifacts/a-testsbeforelog");
  });

  it("says what vanished, was skipped, or changes how checks run", () => {
    const card = show(proofOf(red));
    expect(within(card).getByText(/2 tests vanished, 1 test newly skipped, 1 changed file/)).toBeTruthy();
    expect(within(card).getByText(".github/workflows/ci.yml")).toBeTruthy();
    expect(within(card).queryByText("4 green")).toBeNull();
  });

  it("is dashed and unverified where nothing was run", () => {
    const card = show(proofOf(notRun), true);
    expect(card.className).toContain("border-dashed");
    expect(within(card).getByText(/^unverified/)).toBeTruthy();
    expect(within(card).queryByText(/really ran/)).toBeNull();
  });

  it("calls a weak proof weak", () => {
    const card = show(withProof(proofOf(proved), { verdict: "fix_proved_weakly" }));
    expect(within(card).getByText("Fix proved weakly")).toBeTruthy();
    expect(within(card).getByText(/Weaker than a proof/)).toBeTruthy();
  });

  it("shows checks while they run", () => {
    const started = proofOf(proved);
    const running = { name: "tests", phase: "after", command: "pytest", startedAt: new Date().toISOString() } as const;
    const card = show({ ...started, proof: null, results: started.results.slice(0, 2), running: [running] });
    expect(within(card).getByText("Checking")).toBeTruthy();
    expect(within(card).getByText("running")).toBeTruthy();
  });

  it("says in a rehearsal that no model was asked", () => {
    expect(within(show(proofOf(proved), true)).getByText(/no model is asked/)).toBeTruthy();
  });
});
