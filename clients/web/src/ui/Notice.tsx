import { CircleAlert, Info, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactElement, ReactNode } from "react";

import type { Problem } from "@outrider/sdk";

import { Inline } from "./Inline";

const TONES: Record<"problem" | "warning" | "info", { icon: LucideIcon; look: string; icons: string }> = {
  problem: { icon: CircleAlert, look: "border-fail/30 bg-fail-wash", icons: "text-fail" },
  warning: { icon: TriangleAlert, look: "border-warn/30 bg-warn-wash", icons: "text-warn" },
  info: { icon: Info, look: "border-line bg-surface", icons: "text-muted" },
};

interface NoticeProps {
  readonly tone: keyof typeof TONES;
  readonly children: ReactNode;
  readonly remedy?: ReactNode;
}

/** A sentence that should not be missed, and what to do about it. */
export function Notice({ tone, children, remedy }: NoticeProps): ReactElement {
  const { icon: Icon, look, icons } = TONES[tone];
  return (
    <div className={`flex gap-2.5 rounded-lg border px-3 py-2 ${look}`} role={tone === "problem" ? "alert" : "note"}>
      <Icon aria-hidden size={16} className={`mt-0.5 shrink-0 ${icons}`} />
      <div className="min-w-0">
        <p>{children}</p>
        {remedy && <p className="text-muted">{remedy}</p>}
      </div>
    </div>
  );
}

export function ProblemNotice({ problem }: { readonly problem: Problem }): ReactElement {
  return (
    <Notice tone="problem" remedy={problem.remedy && <Inline text={problem.remedy} />}>
      <Inline text={problem.sentence} />
    </Notice>
  );
}
