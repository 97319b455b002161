import type { QueuedPrompt } from "@outrider/sdk";
import { ListPlus } from "lucide-react";
import { useState, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { Confirm } from "@/ui/Confirm";
import { ProblemNotice } from "@/ui/Notice";

import { LateEdit, QueueEditor } from "./QueueEditor";
import { QueueRow } from "./QueueRow";
import { useCommand } from "./useCommand";

interface QueueProps {
  readonly session: string;
  readonly queue: readonly QueuedPrompt[];
  readonly running: boolean;
}

/** Prompts that wait for their turn: each can be edited, moved, taken back, or run at once. */
export function Queue({ session, queue, running }: QueueProps): ReactElement | null {
  const { busy, problem, run } = useCommand();
  const [steering, setSteering] = useState<QueuedPrompt | null>(null);
  const [editing, setEditing] = useState<QueuedPrompt | null>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const close = (): void => setEditing(null);
  const late = editing !== null && !queue.some((prompt) => prompt.id === editing.id);
  if (queue.length === 0 && !late) return null;

  const move = (id: string, position: number): void => void run(() => api.move(session, id, position));
  const drop = (position: number): void => {
    if (dragged !== null && queue[position]?.id !== dragged) move(dragged, position);
    setDragged(null);
  };
  return (
    <section aria-label="Prompts that wait">
      <h3 className="mb-1 flex items-center gap-1.5 text-xs font-medium text-muted">
        <ListPlus aria-hidden size={14} />
        Waiting <span className="tabular">({queue.length})</span>
      </h3>
      <ol className="max-h-[40vh] divide-y divide-line overflow-y-auto rounded-lg border border-line bg-surface empty:hidden">
        {queue.map((prompt, place) =>
          editing?.id === prompt.id ? (
            <li key={prompt.id}>
              <QueueEditor session={session} opened={editing} prompt={prompt} onReopen={setEditing} onClose={close} />
            </li>
          ) : (
            <QueueRow
              key={prompt.id}
              prompt={prompt}
              place={place}
              last={queue.length - 1}
              busy={busy}
              dragged={dragged === prompt.id}
              onDrag={setDragged}
              onDrop={() => drop(place)}
              onMove={(position) => move(prompt.id, position)}
              onEdit={() => setEditing(prompt)}
              onSteer={running ? () => setSteering(prompt) : null}
              onWithdraw={() => void run(() => api.withdraw(session, prompt.id))}
            />
          ),
        )}
      </ol>
      {late && <LateEdit key={editing.id} prompt={editing} onClose={close} />}
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
