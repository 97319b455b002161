import type { CheckFinding, Diagnosis as Found } from "@outrider/protocol";
import { CircleCheck, CircleHelp, CircleX } from "lucide-react";
import type { ReactElement } from "react";

import { CHECK_LOOK } from "@/features/evidence/states";
import { count, seconds } from "@/ui/format";
import { State } from "@/ui/State";
import { TerminalText } from "@/ui/TerminalText";
import { CHECK } from "@/ui/words";

/** Whether the repository's own checks are green in its image. */
export function DiagnosisMark({ diagnosis }: { readonly diagnosis: Found }): ReactElement {
  const checks = diagnosis.checks ?? [];
  const red = checks.filter(isRed).length;
  if (checks.length === 0) return <State icon={CircleHelp} word="not checked" />;
  if (red > 0) return <State icon={CircleX} tone="fail" word={`${red} of ${count(checks.length, "check")} red`} />;
  return <State icon={CircleCheck} tone="pass" word={checks.length === 1 ? "check green" : `${checks.length} checks green`} />;
}

/** What each check said, before anybody touched anything. */
export function Diagnosis({ diagnosis }: { readonly diagnosis: Found }): ReactElement {
  const { checks = [], skipped_services: skipped = [], notice } = diagnosis;
  return (
    <div>
      <h3 className="mb-1 text-xs font-medium text-muted">
        Checks in the image, before anybody touched it · {seconds(diagnosis.seconds)}
      </h3>
      {checks.length === 0 && <p>{notice || "No checks are known."}</p>}
      <ul className="space-y-2">
        {checks.map((check) => (
          <Check key={check.name} check={check} />
        ))}
      </ul>
      {skipped.length > 0 && <p className="mt-1 text-warn">Services that did not get ready: {skipped.join(", ")}</p>}
    </div>
  );
}

function Check({ check }: { readonly check: CheckFinding }): ReactElement {
  const look = CHECK_LOOK[check.verdict];
  const missing = check.missing_tools ?? [];
  return (
    <li>
      <p className="flex flex-wrap items-center gap-x-3">
        <State icon={look.icon} tone={look.tone} word={CHECK[check.verdict]} />
        <span className="font-medium">{check.name}</span>
        <code className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">{check.command}</code>
        <span className="tabular text-xs text-muted">
          exit {check.exit_code} · {seconds(check.seconds)}
        </span>
      </p>
      {missing.length > 0 && <p className="text-warn">Not found: {missing.join(", ")}</p>}
      {isRed(check) && check.tail && <TerminalText text={check.tail} label={`The end of what ${check.name} printed`} />}
    </li>
  );
}

function isRed(check: CheckFinding): boolean {
  return check.verdict !== "passed";
}
