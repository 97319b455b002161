import type { CheckResult, Phase } from "@outrider/protocol";
import type { RunningCheck } from "@outrider/sdk";
import { ChevronRight, LoaderCircle } from "lucide-react";
import { useState, type ReactElement } from "react";

import { seconds } from "@/ui/format";
import { State } from "@/ui/State";
import { Elapsed } from "@/ui/Time";
import { CHECK } from "@/ui/words";

import { CheckRuns } from "./CheckRuns";
import { isResult, PHASES, type CheckRow } from "./checks";
import { CHECK_LOOK } from "./states";

interface CheckTableProps {
  readonly rows: readonly CheckRow[];
  readonly session: string | null;
}

/** Each check in its three runs; a row opens to its commands and logs. */
export function CheckTable({ rows, session }: CheckTableProps): ReactElement {
  return (
    <table className="w-full border-collapse">
      <thead>
        <tr className="text-xs text-muted">
          <th scope="col" className="py-1.5 pr-2 text-left font-medium">
            Check
          </th>
          {PHASES.map((phase) => (
            <th key={phase} scope="col" title={MEANING[phase]} className="px-1.5 py-1.5 text-left font-medium">
              {phase}
            </th>
          ))}
        </tr>
      </thead>
      {rows.map((row) => (
        <Row key={row.name} row={row} session={session} />
      ))}
    </table>
  );
}

const MEANING: Record<Phase, string> = {
  base: "The base commit as it is",
  before: "The base commit with the test files of the head laid over it",
  after: "The head commit",
};

function Row({ row, session }: { readonly row: CheckRow; readonly session: string | null }): ReactElement {
  const [open, setOpen] = useState(false);
  return (
    <tbody className="border-t border-line">
      <tr className="align-top">
        <th scope="row" className="py-1.5 pr-2 text-left font-medium">
          <button
            type="button"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
            className="-ml-1 flex items-center gap-1 rounded px-1 text-left hover:bg-hover"
          >
            <ChevronRight aria-hidden size={14} className={`shrink-0 text-muted ${open ? "rotate-90" : ""}`} />
            {row.name}
          </button>
        </th>
        {PHASES.map((phase) => (
          <td key={phase} className="px-1.5 py-1.5">
            <Run run={row.runs[phase]} />
          </td>
        ))}
      </tr>
      {open && (
        <tr>
          <td colSpan={4} className="pb-3">
            <CheckRuns runs={PHASES.flatMap((phase) => row.runs[phase] ?? []).filter(isResult)} session={session} />
          </td>
        </tr>
      )}
    </tbody>
  );
}

function Run({ run }: { readonly run: CheckResult | RunningCheck | undefined }): ReactElement {
  if (!run) return <span className="text-muted">not run</span>;
  if (!isResult(run)) {
    return (
      <>
        <State icon={LoaderCircle} tone="accent" word="running" live />
        <span className="block text-xs text-muted">
          <Elapsed since={run.startedAt} />
        </span>
      </>
    );
  }
  const look = CHECK_LOOK[run.verdict];
  return (
    <>
      <State icon={look.icon} tone={look.tone} word={CHECK[run.verdict]} />
      <span className="tabular block text-xs text-muted">
        {summary(run)} <span className="whitespace-nowrap">{seconds(run.seconds)}</span>
      </span>
    </>
  );
}

function summary(run: CheckResult): string {
  if (run.passed === null) return `exit ${run.exit_code},`;
  const red = (run.failed ?? 0) + (run.errors ?? 0);
  return red > 0 ? `${red} of ${red + run.passed} red,` : `${run.passed} passed,`;
}
