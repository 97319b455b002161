import { useState, type ReactElement } from "react";

import { PullList } from "@/features/pull/PullList";
import { usePullRequests } from "@/features/server/queries";
import { Choice } from "@/ui/Choice";

import { useTitle } from "./useTitle";

const STATES: Record<string, string> = { Open: "open", Merged: "merged", Closed: "closed", "All of them": "" };

/** Every pull request of this deployment. */
export default function PullsPage(): ReactElement {
  useTitle("Pull requests");
  const [state, setState] = useState("All of them");
  const [repository, setRepository] = useState("");
  const repositories = [...new Set((usePullRequests().data ?? []).map((pull) => pull.repository))].sort();
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-3xl px-4 pt-8 pb-16 sm:pt-14">
        <h1 className="mb-4 text-2xl font-semibold tracking-tight">Pull requests</h1>
        <div className="mb-3 flex flex-wrap gap-2 text-xs">
          <Choice name="State" value={state} options={Object.keys(STATES)} onChange={setState} />
          <Choice
            name="Repository"
            any="Any repository"
            value={repository}
            options={repositories}
            onChange={setRepository}
          />
        </div>
        <PullList state={STATES[state] ?? ""} repository={repository} />
      </div>
    </div>
  );
}
