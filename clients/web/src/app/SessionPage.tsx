import type { Connection, SessionView } from "@outrider/sdk";
import { useParams } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";

import { PeoplePane } from "@/features/people/PeoplePane";
import { useSession } from "@/features/server/useSession";
import { About } from "@/features/session/About";
import { ChangesPane } from "@/features/session/ChangesPane";
import { EvidencePane } from "@/features/session/EvidencePane";
import { Stream } from "@/features/session/Stream";
import { SessionTitle } from "@/features/session/SessionTitle";
import { Sidebar } from "@/features/sessions/Sidebar";
import { Tabs } from "@/ui/Tabs";

import { Failed } from "./Message";
import { useTitle } from "./useTitle";

type Tab = "transcript" | "evidence" | "changes" | "people" | "about";

const PANES: Record<Tab, string> = { transcript: "Transcript", evidence: "Evidence", changes: "Changes", people: "People", about: "About" };

/** A session: the list beside it, its transcript, and one pane. A narrow screen shows one of them at a time. */
export default function SessionPage(): ReactElement {
  const { session } = useParams({ from: "/sessions/$session" });
  const { view, connection, loaded, nudge, showTyping } = useSession(session);
  const [tab, setTab] = useState<Tab>("transcript");
  useTitle(view.title || "Session");
  if (connection.kind === "refused") return <Failed error={connection.problem} reset={nudge} />;
  const pane = tab === "transcript" ? "evidence" : tab; // beside the transcript there is always a pane
  return (
    <div className="grid h-full grid-cols-1 lg:grid-cols-[minmax(0,1fr)_25rem] wide:grid-cols-[15rem_minmax(0,1fr)_25rem]">
      <div className="hidden min-h-0 border-r border-line wide:block">
        <Sidebar chosen={session} />
      </div>
      <div className="flex min-h-0 min-w-0 flex-col">
        <SessionTitle session={session} view={view} loaded={loaded} />
        <ConnectionLine connection={connection} loaded={loaded} onRetry={nudge} />
        <PaneTabs view={view} chosen={tab} onChoose={setTab} controls="narrow-pane" className="px-3 lg:hidden" />
        <div id="narrow-pane" className="flex min-h-0 flex-1 flex-col">
          <div className={`min-h-0 flex-1 ${tab === "transcript" ? "" : "hidden lg:block"}`}>
            <Stream session={session} view={view} loaded={loaded} onOpenEvidence={() => setTab("evidence")} showTyping={showTyping} />
          </div>
          {tab !== "transcript" && (
            <div className="min-h-0 flex-1 overflow-y-auto p-4 lg:hidden">
              <Pane tab={pane} view={view} session={session} />
            </div>
          )}
        </div>
      </div>
      <aside className="hidden min-h-0 flex-col border-l border-line lg:flex" aria-label="Evidence and changes">
        <PaneTabs view={view} chosen={pane} onChoose={setTab} controls="wide-pane" className="shrink-0 px-3" />
        <div className="min-h-0 flex-1 overflow-y-auto p-4" role="tabpanel" id="wide-pane" aria-label={PANES[pane]}>
          <Pane tab={pane} view={view} session={session} />
        </div>
      </aside>
    </div>
  );
}

interface PaneTabsProps {
  readonly view: SessionView;
  readonly chosen: Tab;
  readonly onChoose: (tab: Tab) => void;
  readonly controls: "narrow-pane" | "wide-pane";
  readonly className: string;
}

function PaneTabs({ view, chosen, onChoose, controls, className }: PaneTabsProps): ReactElement {
  const all: readonly Tab[] = ["transcript", "evidence", "changes", "people", "about"];
  const tabs = all
    .filter((id) => id !== "transcript" || controls === "narrow-pane")
    .map((id) => ({ id, word: PANES[id], count: id === "changes" ? (view.changes?.count ?? view.files.length) : 0 }));
  return (
    <Tabs
      label="Parts of the session"
      tabs={tabs}
      chosen={chosen}
      onChoose={onChoose}
      controls={controls}
      className={`border-b border-line ${className}`}
    />
  );
}

interface PaneProps {
  readonly tab: Tab;
  readonly view: SessionView;
  readonly session: string;
}

function Pane({ tab, view, session }: PaneProps): ReactElement {
  if (tab === "changes") return <ChangesPane view={view} />;
  if (tab === "people") return <PeoplePane session={session} membersSeq={view.membersSeq} />;
  if (tab === "about") return <About view={view} />;
  return <EvidencePane view={view} session={session} />;
}

interface ConnectionLineProps {
  readonly connection: Connection;
  readonly loaded: boolean;
  readonly onRetry: () => void;
}

/** Said while the session is not up to date. */
function ConnectionLine({ connection, loaded, onRetry }: ConnectionLineProps): ReactElement | null {
  const lost = connection.kind === "waiting" || (connection.kind === "connecting" && loaded);
  return (
    <div role="status">
      {lost && (
        <p className="flex items-center gap-2 bg-warn-wash px-4 py-1">
          <span className="breathing size-1.5 rounded-full bg-warn" />
          <span className="flex-1">Reconnecting. What you see may be old; nothing is lost.</span>
          <button type="button" onClick={onRetry} className="font-medium text-accent hover:underline">
            Try now
          </button>
        </p>
      )}
    </div>
  );
}
