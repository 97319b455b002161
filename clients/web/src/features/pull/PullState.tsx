import type { PullRequestState } from "@outrider/protocol";
import { GitMerge, GitPullRequest, GitPullRequestClosed } from "lucide-react";
import type { ReactElement } from "react";

import { State, type Tone } from "@/ui/State";
import { PULL_REQUEST, wordFor } from "@/ui/words";

const LOOK = {
  open: { icon: GitPullRequest, tone: "pass" },
  merged: { icon: GitMerge, tone: "accent" },
  closed: { icon: GitPullRequestClosed, tone: "fail" },
} as const satisfies Record<PullRequestState, { icon: typeof GitMerge; tone: Tone }>;

/** The state of a pull request. */
export function PullState({ state, number }: { readonly state: string; readonly number?: number }): ReactElement {
  const look = LOOK[state as PullRequestState] ?? LOOK.open;
  const word = wordFor(PULL_REQUEST, state);
  return <State icon={look.icon} tone={look.tone} word={number === undefined ? word : `#${number} ${word.toLowerCase()}`} />;
}
