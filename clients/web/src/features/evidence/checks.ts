import type { CheckResult, Phase } from "@outrider/protocol";
import type { ProofView, RunningCheck } from "@outrider/sdk";

export const PHASES: readonly Phase[] = ["base", "before", "after"];

/** One check in its up to three runs. */
export interface CheckRow {
  readonly name: string;
  readonly runs: Readonly<Partial<Record<Phase, CheckResult | RunningCheck>>>;
}

/** Checks by name, in the order in which they were run. */
export function rowsOf(results: readonly CheckResult[], running: readonly RunningCheck[]): readonly CheckRow[] {
  const rows = new Map<string, Partial<Record<Phase, CheckResult | RunningCheck>>>();
  for (const run of [...results, ...running]) rows.set(run.name, { ...rows.get(run.name), [run.phase]: run });
  return [...rows].map(([name, runs]) => ({ name, runs }));
}

export function isResult(run: CheckResult | RunningCheck): run is CheckResult {
  return "verdict" in run;
}

/** How many tests were red in a phase, and how many green; null where only exit codes are known. */
export function countsOf(results: readonly CheckResult[], phase: Phase): { red: number; green: number } | null {
  const counted = results.filter((result) => result.phase === phase && result.passed !== null);
  if (counted.length === 0) return null;
  return {
    red: counted.reduce((sum, result) => sum + (result.failed ?? 0) + (result.errors ?? 0), 0),
    green: counted.reduce((sum, result) => sum + (result.passed ?? 0), 0),
  };
}

/** A proof that came from somewhere else than the feed, as a view of it. */
export function viewOf(proof: NonNullable<ProofView["proof"]>): ProofView {
  return { id: proof.id, head: proof.head, running: [], results: proof.results, proof };
}
