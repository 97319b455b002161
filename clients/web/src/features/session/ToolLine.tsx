import type { ToolKind } from "@outrider/protocol";
import type { ToolItem } from "@outrider/sdk";
import {
  ArrowRightLeft,
  Brain,
  FilePen,
  FileText,
  FileX2,
  Globe,
  LoaderCircle,
  Repeat2,
  Search,
  SquareTerminal,
  Wrench,
  type LucideIcon,
} from "lucide-react";
import { lazy, Suspense, type ReactElement } from "react";

import { seconds } from "@/ui/format";
import { Elapsed } from "@/ui/Time";
import { VERB } from "@/ui/words";

import { Line } from "./Line";
import { objectOf } from "./toolObject";
import { resultOf } from "./toolResult";

const ToolDetail = lazy(() => import("./ToolDetail"));

const ICON: Record<ToolKind, LucideIcon> = {
  read: FileText,
  edit: FilePen,
  delete: FileX2,
  move: ArrowRightLeft,
  search: Search,
  execute: SquareTerminal,
  think: Brain,
  fetch: Globe,
  switch_mode: Repeat2,
  other: Wrench,
};

/** A use of a tool in one line: verb, object, result, duration. It opens to what went in and what came out. */
export function ToolLine({ item, session }: { readonly item: ToolItem; readonly session: string }): ReactElement {
  const running = item.endedAt === null && !item.cutOff;
  return (
    <Line
      icon={running ? LoaderCircle : ICON[item.tool]}
      iconClass={running ? "breathing text-accent" : "text-muted"}
      end={
        <>
          <Result item={item} />
          <span className="tabular w-12 text-right">
            {running ? <Elapsed since={item.at} /> : item.endedAt && seconds(duration(item, item.endedAt))}
          </span>
        </>
      }
      detail={() => (
        <Suspense fallback={<p className="text-muted">…</p>}>
          <ToolDetail item={item} session={session} />
        </Suspense>
      )}
    >
      <span className="text-muted">{VERB[item.tool]}</span>{" "}
      <span className={item.tool === "other" ? "" : "font-mono text-xs"}>{objectOf(item)}</span>
    </Line>
  );
}

const TONE = { plain: "", fail: "text-fail", warn: "text-warn" } as const;

function Result({ item }: { readonly item: ToolItem }): ReactElement | null {
  const result = resultOf(item);
  if (!result) return null;
  if ("added" in result) {
    return (
      <span className="tabular">
        <span className="text-pass">+{result.added}</span> <span className="text-fail">−{result.deleted}</span>
      </span>
    );
  }
  return <span className={TONE[result.tone]}>{result.word}</span>;
}

function duration(item: ToolItem, endedAt: string): number {
  return Math.max(0, (Date.parse(endedAt) - Date.parse(item.at)) / 1000);
}
