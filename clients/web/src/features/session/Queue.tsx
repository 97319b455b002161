import type { QueuedPrompt } from "@outrider/sdk";
import { ArrowDown, ArrowUp, ListPlus, X, Zap } from "lucide-react";
import { useState, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Face } from "@/ui/Face";
import { ProblemNotice } from "@/ui/Notice";

import { useCommand } from "./useCommand";

interface QueueProps {
  readonly session: string;
  readonly queue: readonly QueuedPrompt[];
  readonly running: boolean;
}

/** Prompts that wait for their turn: each can be moved, taken back, or run at once. */
export function Queue({ session, queue, running }: QueueProps): ReactElement | null {
  const { busy, problem, run } = useCommand();
  const [steering, setSteering] = useState<QueuedPrompt | null>(null);
  if (queue.length === 0) return null;
  return (
    <section aria-label="Prompts that wait">
      <h3 className="mb-1 flex items-center gap-1.5 text-xs font-medium text-muted">
        <ListPlus aria-hidden size={14} />
        Waiting <span className="tabular">({queue.length})</span>
      </h3>
      <ol className="divide-y divide-line rounded-lg border border-line bg-surface">
        {queue.map((prompt, place) => (
          <li key={prompt.id} className="flex items-center gap-2 py-1 pr-1 pl-3">
            <Face name={prompt.author.person.name} size={20} />
            <span className="min-w-0 flex-1 truncate" title={prompt.text}>
              {prompt.text}
            </span>
            <Place
              busy={busy}
              place={place}
              last={queue.length - 1}
              onMove={(position) => void run(() => api.move(session, prompt.id, position))}
            />
            {running && (
              <IconButton label="Stop the turn and run this now" disabled={busy} onClick={() => setSteering(prompt)}>
                <Zap aria-hidden size={14} />
              </IconButton>
            )}
            <IconButton
              label="Take this prompt back"
              disabled={busy}
              onClick={() => void run(() => api.withdraw(session, prompt.id))}
            >
              <X aria-hidden size={14} />
            </IconButton>
          </li>
        ))}
      </ol>
      {problem && <ProblemNotice problem={problem} />}
      {steering && (
        <Confirm
          title="Stop the turn and run this prompt now?"
          verb="Stop and run this"
          busy={busy}
          onCancel={() => setSteering(null)}
          onConfirm={() => void run(() => api.steer(session, steering.id)).then(() => setSteering(null))}
        >
          <p>The running turn ends as stopped. What it has written stays in the workspace.</p>
        </Confirm>
      )}
    </section>
  );
}

interface PlaceProps {
  readonly busy: boolean;
  readonly place: number;
  readonly last: number;
  readonly onMove: (position: number) => void;
}

function Place({ busy, place, last, onMove }: PlaceProps): ReactElement | null {
  if (last === 0) return null;
  return (
    <>
      <IconButton label="Earlier" disabled={busy || place === 0} onClick={() => onMove(place - 1)}>
        <ArrowUp aria-hidden size={14} />
      </IconButton>
      <IconButton label="Later" className="max-sm:hidden" disabled={busy || place === last} onClick={() => onMove(place + 1)}>
        <ArrowDown aria-hidden size={14} />
      </IconButton>
    </>
  );
}
