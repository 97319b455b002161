import { useParams } from "@tanstack/react-router";
import type { ReactElement } from "react";

import { PullRequestView } from "@/features/pull/PullRequestView";
import { usePullRequest } from "@/features/server/queries";

import { Failed, NotFound } from "./Message";
import { useTitle } from "./useTitle";

/** A pull request of the built-in forge. */
export default function PullPage(): ReactElement {
  const { repository, number } = useParams({ from: "/pulls/$repository/$number" });
  const page = usePullRequest(repository, Number(number));
  useTitle(page.data ? `${page.data.pull_request.title} #${number}` : `Pull request ${number}`);
  if (page.error?.isNotFound) return <NotFound />;
  if (page.error && !page.data) return <Failed error={page.error} reset={() => void page.refetch()} />;
  return (
    <div className="h-full overflow-y-auto">
      {page.data ? <PullRequestView page={page.data} /> : <p className="p-8 text-muted">Opening the pull request…</p>}
    </div>
  );
}
