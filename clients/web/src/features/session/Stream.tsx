import type { SessionView } from "@outrider/sdk";
import { ArrowDown } from "lucide-react";
import type { ReactElement } from "react";

import { MayPrompt } from "@/features/people/MayPrompt";
import { Button } from "@/ui/Button";

import { ChildrenBar } from "./ChildrenBar";
import { Composer } from "./Composer";
import { Queue } from "./Queue";
import { Transcript } from "./Transcript";
import { TurnBar } from "./TurnBar";
import { useStickToEnd } from "./useStickToEnd";

interface StreamProps {
  readonly session: string;
  readonly view: SessionView;
  readonly loaded: boolean;
  readonly onOpenEvidence: () => void;
  readonly showTyping: (typing: boolean) => void;
}

/** The transcript, what goes on, what waits, and the box for the next prompt. */
export function Stream({ session, view, loaded, onOpenEvidence, showTyping }: StreamProps): ReactElement {
  const { scroller, content, atEnd, goToEnd } = useStickToEnd();
  return (
    <div className="relative flex h-full flex-col">
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={scroller} id="transcript" role="region" aria-label="Transcript" tabIndex={0} className="min-h-0 flex-1 overflow-y-auto">
        <div ref={content} className="mx-auto max-w-[45rem] px-4 pt-6 sm:px-6">
          {loaded ? (
            <Transcript view={view} session={session} onOpenEvidence={onOpenEvidence} />
          ) : (
            <p className="text-muted">Opening the session…</p>
          )}
        </div>
      </div>
      <p role="status" className="sr-only">
        {announcement(view)}
      </p>
      <div className="shrink-0 border-t border-line bg-paper">
        {!atEnd && (
          <div className="relative mx-auto max-w-[45rem]">
            <Button onClick={goToEnd} className="absolute right-6 bottom-3 rounded-full shadow-md">
              <ArrowDown aria-hidden size={14} />
              Latest
            </Button>
          </div>
        )}
        <div className="mx-auto max-w-[45rem] space-y-2 px-4 py-2.5 sm:px-6">
          <TurnBar session={session} view={view} />
          <ChildrenBar session={session} view={view} />
          <Queue session={session} queue={view.queue} running={view.turn !== null} />
          {view.status === "archived" ? (
            <p className="py-2 text-muted">This session is archived: it takes no more prompts.</p>
          ) : (
            <MayPrompt session={session} membersSeq={view.membersSeq}>
              <Composer session={session} running={view.turn !== null} presence={view.presence} showTyping={showTyping} />
            </MayPrompt>
          )}
        </div>
      </div>
    </div>
  );
}

/** What a screen reader is told: the ends of things, not every word. */
function announcement(view: SessionView): string {
  const last = view.items.at(-1);
  if (last?.kind === "end") return last.message;
  if (last?.kind === "notice") return last.sentence;
  return view.turn ? "The agent is working." : "";
}
