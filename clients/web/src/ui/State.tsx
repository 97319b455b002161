import type { ReactElement } from "react";
import type { LucideIcon } from "lucide-react";

export type Tone = "plain" | "accent" | "pass" | "fail" | "warn";

const TEXT: Record<Tone, string> = {
  plain: "text-muted",
  accent: "text-accent",
  pass: "text-pass",
  fail: "text-fail",
  warn: "text-warn",
};

export interface StateProps {
  readonly icon: LucideIcon;
  readonly word: string;
  readonly tone?: Tone;
  /** Whether something goes on right now. */
  readonly live?: boolean;
}

/** A state: always an icon and a word, the colour only helps. */
export function State({ icon: Icon, word, tone = "plain", live = false }: StateProps): ReactElement {
  return (
    <span className={`inline-flex items-center gap-1.5 font-medium whitespace-nowrap ${TEXT[tone]}`}>
      <Icon aria-hidden className={`size-[max(14px,1.1em)] shrink-0 ${live ? "breathing" : ""}`} />
      {word}
    </span>
  );
}
