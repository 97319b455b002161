import { asProblem, type Problem } from "@outrider/sdk";
import { useCallback, useState } from "react";

export interface Command {
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** Runs it; true when it was done. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Something that a person asks of the session: busy while it is asked, a problem when it was refused. */
export function useCommand(): Command {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { busy, problem, run };
}
