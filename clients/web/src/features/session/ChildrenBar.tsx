import type { SessionView } from "@outrider/sdk";
import { GitFork, Square } from "lucide-react";
import type { ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { count } from "@/ui/format";
import { ProblemNotice } from "@/ui/Notice";

import { workingChildren } from "./children";
import { useCommand } from "./useCommand";

/** Said when the turn is over and sessions that it started are still at work. */
export function ChildrenBar({ session, view }: { readonly session: string; readonly view: SessionView }): ReactElement | null {
  const { busy, problem, run } = useCommand();
  const working = workingChildren(view);
  if (view.turn || working.length === 0) return null;
  return (
    <section aria-label="Sessions that it started" className="space-y-2">
      {problem && <ProblemNotice problem={problem} />}
      <div className="flex min-h-8 items-center gap-3 text-muted">
        <GitFork aria-hidden size={14} className="shrink-0" />
        <span className="min-w-0 flex-1 truncate">{count(working.length, "session")} below it still at work</span>
        <Button disabled={busy} onClick={() => void run(() => api.stop(session, true))}>
          <Square aria-hidden size={12} className="fill-current" />
          Stop {working.length === 1 ? "it" : "them"}
        </Button>
      </div>
    </section>
  );
}
