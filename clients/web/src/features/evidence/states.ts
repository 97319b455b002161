import type { CaseOutcome, CheckVerdict, ProofVerdict } from "@outrider/protocol";
import {
  CircleCheck,
  CircleDashed,
  CircleSlash,
  CircleX,
  ClockAlert,
  ShieldCheck,
  SkipForward,
  TriangleAlert,
  type LucideIcon,
} from "lucide-react";

import type { Tone } from "@/ui/State";

interface Look {
  readonly icon: LucideIcon;
  readonly tone: Tone;
}

export const VERDICT_LOOK: Record<ProofVerdict, Look> = {
  fix_proved: { icon: ShieldCheck, tone: "pass" },
  fix_proved_weakly: { icon: ShieldCheck, tone: "warn" },
  still_green: { icon: CircleCheck, tone: "pass" },
  red: { icon: CircleX, tone: "fail" },
  not_run: { icon: CircleDashed, tone: "plain" },
};

export const CHECK_LOOK: Record<CheckVerdict, Look> = {
  passed: { icon: CircleCheck, tone: "pass" },
  failed: { icon: CircleX, tone: "fail" },
  timed_out: { icon: ClockAlert, tone: "fail" },
  setup_failed: { icon: TriangleAlert, tone: "fail" },
  stopped: { icon: CircleSlash, tone: "plain" },
};

export const OUTCOME_LOOK: Record<CaseOutcome, Look> = {
  passed: { icon: CircleCheck, tone: "pass" },
  failed: { icon: CircleX, tone: "fail" },
  error: { icon: TriangleAlert, tone: "warn" },
  skipped: { icon: SkipForward, tone: "plain" },
};
