import type { LimitUse } from "@outrider/protocol";
import { TriangleAlert } from "lucide-react";
import type { ReactElement } from "react";

import { useLimits } from "@/features/server/fleet";
import { bytes, number, span } from "@/ui/format";
import { ProblemNotice } from "@/ui/Notice";
import { State } from "@/ui/State";
import { Until } from "@/ui/Time";

type Per = LimitUse["per"];

const SETTING = "font-mono text-xs text-muted [overflow-wrap:anywhere]";

/** In this order. */
const GROUPS: Record<Per, string> = {
  deployment: "All people together",
  person: "You",
  session: "A session",
  tree: "A session and those below it",
  prompt: "A prompt",
  sandbox: "A sandbox",
};

/** What is in force here, and how much of it is used. */
export function Limits(): ReactElement {
  const limits = useLimits();
  return (
    <section aria-labelledby="limits">
      <h2 id="limits" className="text-lg font-semibold">
        Limits
      </h2>
      <p className="mb-3 max-w-prose text-muted">
        What is in force, and how much is used now. Whoever runs this deployment changes each by its setting.
      </p>
      {limits.error && <ProblemNotice problem={limits.error} />}
      {limits.data && <LimitTable limits={limits.data} />}
    </section>
  );
}

export function LimitTable({ limits }: { readonly limits: readonly LimitUse[] }): ReactElement {
  const groups = (Object.keys(GROUPS) as Per[])
    .map((per) => ({ per, rows: limits.filter((limit) => limit.per === per) }))
    .filter(({ rows }) => rows.length > 0);
  return (
    <table aria-labelledby="limits" className="tabular w-full border-collapse">
      <thead className="text-xs text-muted">
        <tr className="text-left">
          <th className="py-1 font-normal">Limit</th>
          <th className="hidden px-3 py-1 font-normal sm:table-cell">Setting</th>
          <th className="w-14 py-1 text-right font-normal">Used</th>
          <th className="w-20 py-1 text-right font-normal">Of</th>
        </tr>
      </thead>
      {groups.map(({ per, rows }) => (
        <tbody key={per}>
          <tr>
            <th colSpan={4} scope="rowgroup" className="border-b border-line pt-4 pb-1 text-left text-xs font-medium text-muted">
              {GROUPS[per]}
            </th>
          </tr>
          {rows.map((limit) => (
            <Row key={limit.setting} limit={limit} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

function Row({ limit }: { readonly limit: LimitUse }): ReactElement {
  const { what, setting, used, value, until } = limit;
  const full = value !== null && used !== null && used >= value;
  return (
    <tr className="border-b border-line align-baseline">
      <th scope="row" className="py-2 text-left font-normal">
        {what}
        <code className={`${SETTING} block sm:hidden`}>{setting}</code>
        {full && (
          <span className="mt-0.5 flex flex-wrap items-center gap-x-2 text-xs">
            <State icon={TriangleAlert} tone="warn" word="full" />
            {until && (
              <span className="text-muted">
                room again <Until at={until} />
              </span>
            )}
          </span>
        )}
      </th>
      <td className="hidden px-3 py-2 whitespace-nowrap sm:table-cell">
        <code className={SETTING}>{setting}</code>
      </td>
      <td className="py-2 text-right">{used === null ? "" : amount(used, limit)}</td>
      <td className="py-2 text-right whitespace-nowrap">
        {value === null ? <span className="text-muted">no limit</span> : amount(value, limit)}
      </td>
    </tr>
  );
}

function amount(value: number, { unit }: LimitUse): string {
  if (unit === "bytes") return bytes(value);
  if (unit === "seconds") return span(value);
  return unit === "dollars" ? `$${number(value)}` : number(value);
}
