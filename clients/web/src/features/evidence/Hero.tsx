import type { Proof } from "@outrider/protocol";
import { ArrowRight, CircleCheck, CircleX, type LucideIcon } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

import { shortHash } from "@/ui/format";

import { countsOf } from "./checks";

/** The heart of the evidence: red before, green after, side by side. Other verdicts have no pair to show. */
export function Hero({ proof }: { readonly proof: Proof }): ReactElement | null {
  if (proof.verdict === "fix_proved" || proof.verdict === "fix_proved_weakly") return <Pair proof={proof} />;
  return null;
}

function Pair({ proof }: { readonly proof: Proof }): ReactElement {
  const proved = proof.red_to_green.length;
  const before = countsOf(proof.results, "before");
  const loaded = proof.red_to_green.every((proven) => proven.before === "failed");
  return (
      <div className="grid grid-cols-[1fr_1.25rem_1fr] items-stretch gap-0.5">
        <Side icon={CircleX} tone="fail" title={proved > 0 ? `${proved} red` : "Red"} phase="before">
          base {shortHash(proof.base)}
          {before && <>, tests of {shortHash(proof.head)}</>}
          {!loaded && <>; some did not load</>}
        </Side>
        <span className="grid place-items-center text-muted">
          <ArrowRight aria-label="became" size={16} />
        </span>
        <Side icon={CircleCheck} tone="pass" title={proved > 0 ? `${proved} green` : "Green"} phase="after">
          {proved > 0 && `the same ${proved === 1 ? "test" : "tests"}, `}head {shortHash(proof.head)}
        </Side>
      </div>
  );
}

interface SideProps {
  readonly icon: LucideIcon;
  readonly tone: "pass" | "fail";
  readonly title: string;
  readonly phase: string;
  readonly children: ReactNode;
}

const LOOK = {
  pass: "border-pass/25 bg-pass-wash text-pass",
  fail: "border-fail/25 bg-fail-wash text-fail",
};

function Side({ icon: Icon, tone, title, phase, children }: SideProps): ReactElement {
  return (
    <div className={`rounded-lg border px-3 py-2.5 ${LOOK[tone]}`}>
      <p className="text-xs font-medium">{phase}</p>
      <p className="mt-1 flex items-center gap-2 tabular text-xl font-semibold tracking-tight">
        <Icon aria-hidden size={22} className="shrink-0" />
        {title}
      </p>
      <p className="tabular mt-1 text-xs text-ink/75">{children}</p>
    </div>
  );
}
