import type { CheckResult } from "@outrider/protocol";
import { FileText } from "lucide-react";
import type { ReactElement } from "react";

import { api } from "@/features/server/api";
import { bytes, seconds, shortHash } from "@/ui/format";
import { TerminalText } from "@/ui/TerminalText";

interface CheckRunsProps {
  readonly runs: readonly CheckResult[];
  readonly session: string | null;
}

/** Every run of a check: command, commit, exit code, counts, the last lines and the whole log. */
export function CheckRuns({ runs, session }: CheckRunsProps): ReactElement {
  return (
    <ul className="space-y-3">
      {runs.map((run) => (
        <li key={run.phase} className="rounded-lg border border-line bg-surface p-3">
          <p className="font-mono text-xs [overflow-wrap:anywhere]">
            <span className="text-muted select-none">$ </span>
            {run.command}
          </p>
          <dl className="tabular mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs">
            <Fact name="run" value={run.phase} />
            <Fact name="exit" value={String(run.exit_code)} />
            <Fact name="commit" value={shortHash(run.commit)} title={run.commit} />
            {run.tests_from && <Fact name="tests of" value={shortHash(run.tests_from)} title={run.tests_from} />}
            <Fact name="took" value={seconds(run.seconds)} />
            {counts(run).map(([name, value]) => (
              <Fact key={name} name={name} value={String(value)} />
            ))}
          </dl>
          {run.tail && (
            <div className="mt-2">
              <TerminalText text={run.tail.trimEnd()} label={`Last lines of ${run.name}, ${run.phase}`} />
            </div>
          )}
          {run.log && session && <Log run={run} href={api.artifactUrl(session, run.log)} />}
        </li>
      ))}
    </ul>
  );
}

function Log({ run, href }: { readonly run: CheckResult; readonly href: string }): ReactElement {
  return (
    <a href={href} download className="mt-2 inline-flex items-center gap-1.5 text-xs text-accent hover:underline">
      <FileText aria-hidden size={14} />
      Whole log, {bytes(run.log_bytes)}
      {run.log_truncated && " (its middle was dropped)"}
    </a>
  );
}

function Fact(fact: { readonly name: string; readonly value: string; readonly title?: string }): ReactElement {
  return (
    <div className="flex gap-1.5">
      <dt className="text-muted">{fact.name}</dt>
      <dd title={fact.title}>{fact.value}</dd>
    </div>
  );
}

function counts(run: CheckResult): readonly (readonly [string, number])[] {
  const all = [
    ["passed", run.passed],
    ["failed", run.failed],
    ["errors", run.errors],
    ["skipped", run.skipped],
  ] as const;
  return all.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}
