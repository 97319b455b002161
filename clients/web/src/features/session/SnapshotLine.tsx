import type { SnapshotItem } from "@outrider/sdk";
import { useNavigate } from "@tanstack/react-router";
import { GitFork, History, Undo2 } from "lucide-react";
import { useState, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { ProblemNotice } from "@/ui/Notice";

import { Line } from "./Line";
import { useCommand } from "./useCommand";

interface SnapshotLineProps {
  readonly item: SnapshotItem;
  readonly session: string;
}

/** The files of a turn are kept: the session can go back to them, and another one can go on from them. */
export function SnapshotLine({ item, session }: SnapshotLineProps): ReactElement {
  const { busy, problem, run } = useCommand();
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const fork = async (): Promise<void> => {
    const forked = await api.fork(session, item.turn);
    await navigate({ to: "/sessions/$session", params: { session: forked } });
  };
  const rewind = async (): Promise<void> => {
    await run(() => api.rewind(session, item.turn));
    setAsking(false);
  };
  return (
    <>
      <Line icon={History} end={<Actions busy={busy} onFork={() => void run(fork)} onRewind={() => setAsking(true)} />}>
        <span className="text-muted">Kept as</span> turn {item.number}
      </Line>
      {problem && <ProblemNotice problem={problem} />}
      {asking && (
        <Confirm
          title={`Rewind to turn ${item.number}?`}
          verb="Rewind"
          busy={busy}
          onConfirm={() => void rewind()}
          onCancel={() => setAsking(false)}
        >
          Files, commits and the agent&apos;s memory become what they were after this turn. What came later stays in this
          transcript, and what was pushed stays on its branch: work goes on in another one.
        </Confirm>
      )}
    </>
  );
}

interface ActionsProps {
  readonly busy: boolean;
  readonly onFork: () => void;
  readonly onRewind: () => void;
}

function Actions({ busy, onFork, onRewind }: ActionsProps): ReactElement {
  return (
    <>
      <Button look="quiet" disabled={busy} onClick={onRewind} title="Bring this session back to here">
        <Undo2 aria-hidden size={13} />
        Rewind
      </Button>
      <Button look="quiet" className="-mr-3" disabled={busy} onClick={onFork} title="Go on from here in a session of its own">
        <GitFork aria-hidden size={13} />
        Fork
      </Button>
    </>
  );
}
