import type { ReactElement } from "react";

import { ago, agoBriefly, ahead, exactTime, seconds } from "./format";
import { useMinutes, useSeconds } from "./now";

/** How long ago; the exact time on hover. */
export function Time({ at, brief = false }: { readonly at: string; readonly brief?: boolean }): ReactElement {
  const now = Math.max(useMinutes(), Date.parse(at));
  return (
    <time dateTime={at} title={exactTime(at)} className="tabular whitespace-nowrap">
      {brief ? agoBriefly(at, now) : ago(at, now)}
    </time>
  );
}

/** How long until then; the exact time on hover. */
export function Until({ at }: { readonly at: string }): ReactElement {
  return (
    <time dateTime={at} title={exactTime(at)} className="tabular whitespace-nowrap">
      {ahead(at, useMinutes())}
    </time>
  );
}

/** Seconds that run on since a moment. */
export function Elapsed({ since }: { readonly since: string }): ReactElement {
  const passed = Math.max(0, Math.floor((useSeconds() - Date.parse(since)) / 1000));
  return <span className="tabular whitespace-nowrap">{seconds(passed).replace(".0", "")}</span>;
}
