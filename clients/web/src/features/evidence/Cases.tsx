import type { CaseOutcome, Proof } from "@outrider/protocol";
import { ArrowRight } from "lucide-react";
import { Fragment, useState, type ReactElement, type ReactNode } from "react";

import { Button } from "@/ui/Button";
import { count } from "@/ui/format";
import { State } from "@/ui/State";
import { OUTCOME } from "@/ui/words";

import { OUTCOME_LOOK } from "./states";

const SHOWN = 5;

/** The tests that went from red to green, by name. */
export function RedToGreen({ proof }: { readonly proof: Proof }): ReactElement | null {
  if (proof.red_to_green.length === 0) return null;
  return (
    <Names title="Red before, green after" total={proof.red_to_green.length}>
      {proof.red_to_green.map((proven) => (
        <li key={`${proven.check} ${proven.case}`} className="py-1">
          <CaseName name={proven.case} />
          <p className="flex items-center gap-1.5 text-xs">
            <Outcome outcome={proven.before} />
            <ArrowRight aria-label="became" size={12} className="text-muted" />
            <Outcome outcome={proven.after} />
          </p>
        </li>
      ))}
    </Names>
  );
}

function Outcome({ outcome }: { readonly outcome: CaseOutcome }): ReactElement {
  const look = OUTCOME_LOOK[outcome];
  return <State icon={look.icon} tone={look.tone} word={OUTCOME[outcome]} />;
}

/** Long names break after an underscore, not in the middle of a word. */
function breakable(name: string): ReactNode {
  return name.split(/(?<=[_/.])/).map((part, i) => (
    <Fragment key={i}>
      {part}
      <wbr />
    </Fragment>
  ));
}

/** The id of a test, its file in the background. */
function CaseName({ name }: { readonly name: string }): ReactElement {
  const [file, ...inside] = name.split("::");
  return (
    <p className="font-mono text-xs [overflow-wrap:anywhere]">
      {inside.length > 0 && <span className="text-muted">{file}::</span>}
      {inside.length > 0 && <wbr />}
      {breakable(inside.length > 0 ? inside.join("::") : name)}
    </p>
  );
}

/** Tests or files by name, such as those that vanished. Nothing where there are none. */
export function NameList({ title, names }: { readonly title: string; readonly names: readonly string[] }): ReactElement | null {
  if (names.length === 0) return null;
  return (
    <Names title={title} total={names.length}>
      {names.map((name) => (
        <li key={name}>
          <CaseName name={name} />
        </li>
      ))}
    </Names>
  );
}

interface NamesProps {
  readonly title: string;
  readonly total: number;
  readonly children: readonly ReactNode[];
}

function Names({ title, total, children }: NamesProps): ReactElement {
  const [all, setAll] = useState(false);
  return (
    <section>
      <h4 className="mb-1 text-xs font-medium text-muted">
        {title} <span className="tabular">({total})</span>
      </h4>
      <ul>{all ? children : children.slice(0, SHOWN)}</ul>
      {!all && total > SHOWN && (
        <Button look="quiet" className="mt-1 -ml-3" onClick={() => setAll(true)}>
          Show {count(total - SHOWN, "more", "more")}
        </Button>
      )}
    </section>
  );
}
