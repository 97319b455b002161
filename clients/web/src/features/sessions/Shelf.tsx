import type { Problem } from "@outrider/sdk";
import { Archive, ArchiveRestore, Pin, PinOff } from "lucide-react";
import { useState, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { useCommand } from "@/features/session/useCommand";
import { IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { count } from "@/ui/format";
import { ProblemNotice } from "@/ui/Notice";

interface ShelfButtonsProps {
  readonly session: string;
  readonly pinned: boolean;
  readonly status: string;
  /** How many prompts wait, where that is known. */
  readonly waiting?: number;
  /** How many sessions it has started, where that is known. */
  readonly below?: number;
}

const AT_WORK = new Set(["waking", "running", "stopping"]);

/** Pin a session, put it away, take it out again. Where it is at work or has
 *  started others, putting it away asks once more. */
export function ShelfButtons({ session, pinned, status, waiting, below = 0 }: ShelfButtonsProps): ReactElement {
  const { busy, problem, run } = useCommand();
  const [asking, setAsking] = useState(false);
  const archived = status === "archived";
  const working = AT_WORK.has(status);
  const archive = (stop: boolean, children = false): Promise<void> =>
    run(() => api.archive(session, stop, children)).then((done) => setAsking(!done && (stop || below > 0)));
  return (
    <>
      <IconButton
        label={pinned ? "Unpin" : "Pin to the top of the list"}
        aria-pressed={pinned}
        disabled={busy}
        onClick={() => void run(() => api.pin(session, !pinned))}
      >
        {pinned ? <PinOff aria-hidden size={14} /> : <Pin aria-hidden size={14} />}
      </IconButton>
      {archived ? (
        <IconButton
          label="Take out of the archive"
          disabled={busy}
          onClick={() => void run(() => api.unarchive(session))}
        >
          <ArchiveRestore aria-hidden size={14} />
        </IconButton>
      ) : (
        <IconButton
          label="Archive"
          disabled={busy}
          onClick={() => (working || below > 0 ? setAsking(true) : void archive(false))}
        >
          <Archive aria-hidden size={14} />
        </IconButton>
      )}
      {problem && !asking && (
        <span className="fixed right-4 bottom-4 z-20 max-w-sm rounded-lg bg-raised shadow-xl">
          <ProblemNotice problem={problem} />
        </span>
      )}
      {asking && (
        <ArchiveDialog
          below={below}
          waiting={waiting}
          busy={busy}
          problem={problem}
          onCancel={() => setAsking(false)}
          onArchive={(children) => void archive(children || below === 0 || working, children)}
        />
      )}
    </>
  );
}

interface ArchiveDialogProps {
  readonly below: number;
  readonly waiting: number | undefined;
  readonly busy: boolean;
  readonly problem: Problem | null;
  readonly onCancel: () => void;
  /** With those below it, or it alone. */
  readonly onArchive: (children: boolean) => void;
}

function ArchiveDialog({ below, waiting, busy, problem, onCancel, onArchive }: ArchiveDialogProps): ReactElement {
  const lone = below === 0;
  return (
    <Confirm
      title={lone ? "Stop the turn and archive this session?" : `Archive ${count(below, "session")} below it too?`}
      verb={lone ? "Stop and archive" : "Archive all"}
      {...(!lone && { other: { verb: "Only this one", onChoose: () => onArchive(false) } })}
      look="danger"
      busy={busy}
      onCancel={onCancel}
      onConfirm={() => onArchive(!lone)}
    >
      <p>
        Turns that run are stopped, and their files are kept. {waitingSentence(waiting)} Whatever is archived can be taken
        out again.
      </p>
      {problem && <ProblemNotice problem={problem} />}
    </Confirm>
  );
}

function waitingSentence(waiting: number | undefined): string {
  if (waiting === undefined) return "Prompts that wait are taken back; the transcript keeps them.";
  if (waiting === 0) return "";
  return `${count(waiting, "prompt")} that ${waiting === 1 ? "waits is" : "wait are"} taken back; the transcript keeps them.`;
}
