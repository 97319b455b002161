import { Archive, CircleDot, CirclePause, Hourglass, LoaderCircle, Moon, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";

import { State, type Tone } from "@/ui/State";
import { wordFor } from "@/ui/words";

interface Look {
  readonly icon: LucideIcon;
  readonly tone: Tone;
  readonly live?: boolean;
}

const LOOK: Record<string, Look> = {
  waiting: { icon: Hourglass, tone: "warn" },
  waking: { icon: LoaderCircle, tone: "accent", live: true },
  running: { icon: LoaderCircle, tone: "accent", live: true },
  stopping: { icon: CirclePause, tone: "warn", live: true },
  idle: { icon: CircleDot, tone: "plain" },
  asleep: { icon: Moon, tone: "plain" },
  damaged: { icon: TriangleAlert, tone: "fail" },
  archived: { icon: Archive, tone: "plain" },
};

/** The state of a session. */
export function SessionState({ status }: { readonly status: string }): ReactElement {
  const { icon, tone, live = false } = LOOK[status] ?? { icon: CircleDot, tone: "plain" };
  return <State icon={icon} tone={tone} word={wordFor({}, status)} live={live} />;
}
