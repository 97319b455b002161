import type { Build } from "@outrider/protocol";
import { asProblem, type Problem } from "@outrider/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { ProblemNotice } from "@/ui/Notice";
import { TerminalText } from "@/ui/TerminalText";

/** More lines of a log are not kept on the page; the terminal has all of them. */
const LINES = 2_000;

/** The log of a build, live while it runs. */
export function BuildLog({ build }: { readonly build: Build }): ReactElement {
  const { lines, problem } = useBuildLog(build.id);
  if (problem) return <ProblemNotice problem={problem} />;
  return (
    <div>
      <h3 className="mb-1 text-xs font-medium text-muted">Log · {build.why}</h3>
      {lines.length > 0 ? (
        <TerminalText text={lines.join("\n")} label="Log of the build" />
      ) : (
        <p className="text-muted">Nothing was printed yet.</p>
      )}
    </div>
  );
}

function useBuildLog(build: string): { readonly lines: readonly string[]; readonly problem: Problem | null } {
  const client = useQueryClient();
  const [lines, setLines] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const leave = new AbortController();
    const read = async (): Promise<void> => {
      for await (const line of api.buildLog(build, leave.signal)) setLines((known) => [...known, line].slice(-LINES));
      await client.invalidateQueries({ queryKey: ["images"] });
    };
    read().catch((error: unknown) => {
      if (!leave.signal.aborted) setProblem(asProblem(error));
    });
    return () => leave.abort();
  }, [build, client]);
  return { lines, problem };
}
