import type { ReactElement } from "react";

import { ago, exactTime, seconds } from "./format";
import { useMinutes, useSeconds } from "./now";

/** How long ago; the exact time on hover. */
export function Time({ at }: { readonly at: string }): ReactElement {
  const now = Math.max(useMinutes(), Date.parse(at));
  return (
    <time dateTime={at} title={exactTime(at)} className="tabular whitespace-nowrap">
      {ago(at, now)}
    </time>
  );
}

/** Seconds that run on since a moment. */
export function Elapsed({ since }: { readonly since: string }): ReactElement {
  const passed = Math.max(0, Math.floor((useSeconds() - Date.parse(since)) / 1000));
  return <span className="tabular whitespace-nowrap">{seconds(passed).replace(".0", "")}</span>;
}
