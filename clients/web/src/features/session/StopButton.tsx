import type { ChildItem } from "@outrider/sdk";
import { Square } from "lucide-react";
import { useState, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { count } from "@/ui/format";

import type { Command } from "./useCommand";

interface StopButtonProps {
  readonly session: string;
  /** The sessions that this one started and that are still at work. */
  readonly working: readonly ChildItem[];
  readonly stopping: boolean;
  readonly command: Command;
}

/** Stops the turn. Where sessions that it started are at work, it asks whether they are meant too. */
export function StopButton({ session, working, stopping, command }: StopButtonProps): ReactElement {
  const [asking, setAsking] = useState(false);
  const stop = async (children: boolean): Promise<void> => {
    await command.run(() => api.stop(session, children));
    setAsking(false);
  };
  return (
    <>
      <Button
        disabled={command.busy || stopping}
        onClick={() => (working.length > 0 ? setAsking(true) : void stop(false))}
      >
        <Square aria-hidden size={12} className="fill-current" />
        Stop
      </Button>
      {asking && (
        <Confirm
          title={`Stop ${count(working.length, "session")} below it too?`}
          verb="Stop all"
          other={{ verb: "Only this one", onChoose: () => void stop(false) }}
          busy={command.busy}
          onConfirm={() => void stop(true)}
          onCancel={() => setAsking(false)}
        >
          <p>This session started others that are still at work:</p>
          <ul className="mt-2 list-disc pl-5">
            {working.map((child) => (
              <li key={child.session}>
                {child.title} <span className="text-muted">in {child.repository}</span>
              </li>
            ))}
          </ul>
          <p className="mt-2">What each has done is kept. Prompts that people sent them stay in their queues.</p>
        </Confirm>
      )}
    </>
  );
}
