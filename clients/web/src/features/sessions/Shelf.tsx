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
}

const AT_WORK = new Set(["waking", "running", "stopping"]);

/** Pin a session, put it away, take it out again. Where it is at work, putting it away asks once more. */
export function ShelfButtons({ session, pinned, status, waiting }: ShelfButtonsProps): ReactElement {
  const { busy, problem, run } = useCommand();
  const [asking, setAsking] = useState(false);
  const archived = status === "archived";
  const archive = (stop: boolean): Promise<void> =>
    run(() => api.archive(session, stop)).then((done) => setAsking(!done && stop));
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
          onClick={() => (AT_WORK.has(status) ? setAsking(true) : void archive(false))}
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
        <Confirm
          title="Stop the turn and archive this session?"
          verb="Stop and archive"
          look="danger"
          busy={busy}
          onCancel={() => setAsking(false)}
          onConfirm={() => void archive(true)}
        >
          <p>
            The turn is stopped and its files are kept. {waitingSentence(waiting)} The session can be taken out of the
            archive again.
          </p>
          {problem && <ProblemNotice problem={problem} />}
        </Confirm>
      )}
    </>
  );
}

function waitingSentence(waiting: number | undefined): string {
  if (waiting === undefined) return "Prompts that wait are taken back; the transcript keeps them.";
  if (waiting === 0) return "";
  return `${count(waiting, "prompt")} that ${waiting === 1 ? "waits is" : "wait are"} taken back; the transcript keeps them.`;
}
