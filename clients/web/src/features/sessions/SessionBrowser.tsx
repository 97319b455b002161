import { EVERYTHING, type Wanted } from "@outrider/sdk";
import { useState, type ReactElement } from "react";

import { useRepositories } from "@/features/server/queries";
import { useSessions } from "@/features/server/useSessions";
import { Choice } from "@/ui/Choice";
import { ProblemNotice } from "@/ui/Notice";

import { FindField, Finds } from "./FindSessions";
import { SessionRows } from "./SessionRows";

const STATES: Record<string, readonly string[]> = {
  "All but archived": [],
  "At work": ["waking", "running", "stopping"],
  "At rest": ["idle", "asleep"],
  Archived: ["archived"],
};

/** All sessions, chosen by state, repository, person and words. */
export function SessionBrowser(): ReactElement {
  const [wanted, setWanted] = useState<Wanted>(EVERYTHING);
  const sessions = useSessions({ ...wanted, text: "" });
  const words = wanted.text.trim();
  return (
    <section aria-labelledby="sessions">
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="sessions" className="mr-auto text-lg font-semibold">
          Sessions
        </h2>
        <FindField words={wanted.text} onChange={(text) => setWanted({ ...wanted, text })} />
      </div>
      <Filters wanted={wanted} onChange={setWanted} />
      {sessions.error && <ProblemNotice problem={sessions.error} />}
      {words ? <Finds wanted={{ ...wanted, text: words }} /> : sessions.data && <SessionRows sessions={sessions.data} />}
    </section>
  );
}

interface FiltersProps {
  readonly wanted: Wanted;
  readonly onChange: (wanted: Wanted) => void;
}

function Filters({ wanted, onChange }: FiltersProps): ReactElement {
  const repositories = useRepositories().data?.map((repository) => repository.name) ?? [];
  const people = [...new Set((useSessions().data ?? []).map((row) => row.author))].sort();
  const state = Object.keys(STATES).find((name) => STATES[name]?.join() === wanted.states.join()) ?? "";
  return (
    <div className="mb-3 flex flex-wrap gap-2 text-xs">
      <Choice
        name="State"
        value={state}
        options={Object.keys(STATES)}
        onChange={(chosen) => onChange({ ...wanted, states: STATES[chosen] ?? [] })}
      />
      <Choice
        name="Repository"
        any="Any repository"
        value={wanted.repository}
        options={repositories}
        onChange={(repository) => onChange({ ...wanted, repository })}
      />
      <Choice
        name="Person"
        any="Anybody"
        value={wanted.person}
        options={people}
        onChange={(person) => onChange({ ...wanted, person })}
      />
    </div>
  );
}
