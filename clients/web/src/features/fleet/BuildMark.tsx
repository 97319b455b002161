import type { Build, BuildState } from "@outrider/protocol";
import { CircleCheck, CircleSlash, CircleX, Clock, LoaderCircle } from "lucide-react";
import type { ReactElement } from "react";

import { State, type StateProps } from "@/ui/State";
import { Elapsed } from "@/ui/Time";

const LOOK: Record<BuildState, StateProps> = {
  queued: { icon: Clock, word: "waits to be built" },
  running: { icon: LoaderCircle, word: "building", tone: "accent", live: true },
  done: { icon: CircleCheck, word: "built", tone: "pass" },
  failed: { icon: CircleX, word: "build failed", tone: "fail" },
  cancelled: { icon: CircleSlash, word: "build cancelled" },
};

export function isUnderWay(state: BuildState): boolean {
  return state === "queued" || state === "running";
}

/** Where a build is, and for how long it has run. */
export function BuildMark({ build }: { readonly build: Build }): ReactElement {
  return (
    <span className="inline-flex items-center gap-1.5">
      <State {...LOOK[build.state]} />
      {build.state === "running" && build.started_at && (
        <span className="text-muted">
          <Elapsed since={build.started_at} />
        </span>
      )}
    </span>
  );
}
