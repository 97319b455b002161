import type { QueuedPrompt } from "@outrider/sdk";
import { ArrowDown, ArrowUp, GripVertical, Pencil, X, Zap } from "lucide-react";
import type { DragEvent, ReactElement } from "react";

import { IconButton } from "@/ui/Button";
import { Face } from "@/ui/Face";
import { count } from "@/ui/format";

interface QueueRowProps {
  readonly prompt: QueuedPrompt;
  readonly place: number;
  readonly last: number;
  readonly busy: boolean;
  /** Whether this is the one that is being dragged. */
  readonly dragged: boolean;
  readonly onDrag: (id: string | null) => void;
  readonly onDrop: () => void;
  readonly onMove: (position: number) => void;
  readonly onEdit: () => void;
  /** Null while no turn runs: then there is nothing to stop. */
  readonly onSteer: (() => void) | null;
  readonly onWithdraw: () => void;
}

/** One prompt that waits. */
export function QueueRow(props: QueueRowProps): ReactElement {
  const { prompt, place, last, busy, dragged, onMove, onEdit, onSteer, onWithdraw } = props;
  const { name } = prompt.author.person;
  const many = last > 0;
  return (
    <li
      {...(many && dragging(props))}
      className={`group flex items-center gap-2 py-1 pr-1 pl-3 ${dragged ? "opacity-50" : ""}`}
    >
      {many && (
        <GripVertical aria-hidden size={14} className="-ml-2 shrink-0 cursor-grab text-muted pointer-coarse:hidden" />
      )}
      <Face name={name} size={20} />
      <span className="min-w-0 flex-1 truncate" title={prompt.text}>
        {prompt.text}
        {prompt.attachments.length > 0 && <span className="text-xs text-muted"> · {count(prompt.attachments.length, "file")}</span>}
        {prompt.edited_by && <span className="text-xs text-muted"> · edited by {prompt.edited_by.name}</span>}
      </span>
      {many && (
        <>
          <IconButton label="Earlier" disabled={busy || place === 0} onClick={() => onMove(place - 1)}>
            <ArrowUp aria-hidden size={14} />
          </IconButton>
          <IconButton
            label="Later"
            className="max-sm:hidden"
            disabled={busy || place === last}
            onClick={() => onMove(place + 1)}
          >
            <ArrowDown aria-hidden size={14} />
          </IconButton>
        </>
      )}
      <IconButton label="Edit this prompt" disabled={busy} onClick={onEdit}>
        <Pencil aria-hidden size={14} />
      </IconButton>
      {onSteer && (
        <IconButton label="Stop the turn and run this now" disabled={busy} onClick={onSteer}>
          <Zap aria-hidden size={14} />
        </IconButton>
      )}
      <IconButton label="Take this prompt back" disabled={busy} onClick={onWithdraw}>
        <X aria-hidden size={14} />
      </IconButton>
    </li>
  );
}

/** A mouse drags the row to its place; the two arrows do the same for everybody else. */
function dragging({ prompt, busy, onDrag, onDrop }: QueueRowProps): object {
  return {
    draggable: !busy,
    onDragStart: (event: DragEvent) => {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", prompt.text);
      onDrag(prompt.id);
    },
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDragEnd: () => onDrag(null),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      onDrop();
    },
  };
}
