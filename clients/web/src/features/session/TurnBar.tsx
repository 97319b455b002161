import type { SessionView } from "@outrider/sdk";
import { Hourglass, LoaderCircle } from "lucide-react";
import type { ReactElement } from "react";

import { Notice, ProblemNotice } from "@/ui/Notice";
import { State } from "@/ui/State";
import { Elapsed } from "@/ui/Time";
import { TURN_PHASE } from "@/ui/words";

import { workingChildren } from "./children";
import { StopButton } from "./StopButton";
import { useCommand } from "./useCommand";

/** What goes on right now, for how long, and the button that stops it. */
export function TurnBar({ session, view }: { readonly session: string; readonly view: SessionView }): ReactElement | null {
  const command = useCommand();
  const { turn } = view;
  if (!turn) return null;
  const stopping = turn.phase === "stopping";
  const step = view.plan.find((entry) => entry.status === "in_progress")?.text;
  return (
    <section aria-label="Running turn" className="space-y-2">
      {command.problem && <ProblemNotice problem={command.problem} />}
      {turn.held && (
        <Notice tone="info" remedy={turn.held.remedy}>
          Waiting: {turn.held.sentence}
        </Notice>
      )}
      <div className="flex min-h-8 items-center gap-3">
        {turn.held && !stopping ? (
          <State icon={Hourglass} tone="warn" word="Waiting" />
        ) : (
          <State icon={LoaderCircle} tone="accent" word={TURN_PHASE[turn.phase]} live />
        )}
        <span className="text-xs text-muted">
          <Elapsed since={turn.startedAt} />
        </span>
        {turn.round > 1 && <span className="text-xs text-muted">round {turn.round}</span>}
        <span className="min-w-0 flex-1 truncate text-muted">{view.progress?.text ?? step}</span>
        <StopButton session={session} working={workingChildren(view)} stopping={stopping} command={command} />
      </div>
    </section>
  );
}
