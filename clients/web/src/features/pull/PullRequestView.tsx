import type { PullRequestPage } from "@outrider/protocol";
import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { lazy, Suspense, useMemo, type ReactElement, type ReactNode } from "react";

import { byPath } from "@/features/changes/diffs";
import { CommitList } from "@/features/changes/CommitList";
import { FileList } from "@/features/changes/FileList";
import { viewOf } from "@/features/evidence/checks";
import { EvidenceCard } from "@/features/evidence/EvidenceCard";
import { useSessionSummary } from "@/features/server/queries";
import { isRehearsal, RehearsalMark } from "@/features/sessions/SessionRows";
import { Empty } from "@/ui/Empty";
import { Face } from "@/ui/Face";
import { count, shortHash } from "@/ui/format";
import { Notice } from "@/ui/Notice";
import { Time } from "@/ui/Time";

import { Decision } from "./Decision";
import { PullState } from "./PullState";

const Markdown = lazy(() => import("@/ui/Markdown").then((module) => ({ default: module.Markdown })));

/** A pull request with its evidence, and the decision about it. */
export function PullRequestView({ page }: { readonly page: PullRequestPage }): ReactElement {
  const session = page.pull_request.session;
  const model = useSessionSummary(session).data?.model ?? "";
  const rehearsal = isRehearsal(model);
  return (
    <div className="mx-auto grid max-w-6xl gap-x-10 gap-y-6 px-4 pt-6 pb-20 sm:px-6 lg:grid-cols-[minmax(0,1fr)_17rem]">
      <Title page={page} rehearsal={rehearsal} />
      <div className="lg:col-start-2 lg:row-start-2">
        <div className="lg:sticky lg:top-6">
          <Decision page={page} />
        </div>
      </div>
      <div className="min-w-0 space-y-8 lg:col-start-1 lg:row-start-2">
        <Evidence page={page} rehearsal={rehearsal} />
        <Description body={page.pull_request.body} />
        <Commits page={page} />
        <Files page={page} />
      </div>
    </div>
  );
}

function Title({ page, rehearsal }: { readonly page: PullRequestPage; readonly rehearsal: boolean }): ReactElement {
  const pull = page.pull_request;
  return (
    <header className="lg:col-span-2">
      {pull.session && (
        <Link
          to="/sessions/$session"
          params={{ session: pull.session }}
          className="mb-2 inline-flex items-center gap-1.5 text-muted hover:text-ink"
        >
          <ArrowLeft aria-hidden size={14} />
          Session
        </Link>
      )}
      <h1 className="text-xl font-semibold tracking-tight [overflow-wrap:anywhere] sm:text-2xl">
        {pull.title} <span className="font-normal text-muted">#{pull.number}</span>
      </h1>
      <p className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-muted">
        <PullState state={pull.state} />
        <span className="inline-flex items-center gap-1.5">
          <Face name={pull.author.name} size={20} />
          {pull.author.name}
        </span>
        <span className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">
          {pull.repository}: {pull.base_branch} ← {pull.head_branch}
        </span>
        <Time at={pull.opened_at} />
        {rehearsal && <RehearsalMark />}
      </p>
    </header>
  );
}

function Evidence({ page, rehearsal }: { readonly page: PullRequestPage; readonly rehearsal: boolean }): ReactElement {
  const { proof, pull_request: pull } = page;
  if (!proof) {
    return <Empty title="No evidence">No checks were run on this pull request: everything said about it is unverified.</Empty>;
  }
  return (
    <div className="space-y-2">
      {proof.head !== pull.head_commit && (
        <Notice tone="warning">
          The branch has moved on since: the evidence is about {shortHash(proof.head)}, the head is{" "}
          {shortHash(pull.head_commit)}.
        </Notice>
      )}
      <EvidenceCard view={viewOf(proof)} session={pull.session} rehearsal={rehearsal} />
    </div>
  );
}

function Description({ body }: { readonly body: string }): ReactElement | null {
  if (!body.trim()) return null;
  return (
    <Part title="Description" note="written by the agent, unverified">
      <div className="rounded-xl border border-dashed border-line-strong px-4 py-3">
        <Suspense fallback={<p className="prose whitespace-pre-wrap">{body}</p>}>
          <Markdown text={body} />
        </Suspense>
      </div>
    </Part>
  );
}

function Commits({ page }: { readonly page: PullRequestPage }): ReactElement {
  return (
    <Part title={count(page.commits.length, "commit")}>
      <CommitList commits={page.commits} />
    </Part>
  );
}

function Files({ page }: { readonly page: PullRequestPage }): ReactElement {
  const diffs = useMemo(() => byPath(page.diff), [page.diff]);
  return (
    <Part title={count(page.files.length, "changed file")}>
      {page.diff_truncated && (
        <div className="mb-2">
          <Notice tone="warning">The diff is larger than 1 MB: its end is not shown. Fetch the branch to see all of it.</Notice>
        </div>
      )}
      <FileList files={page.files} diffs={diffs} marked={page.proof?.marked_files ?? []} startsOpen />
    </Part>
  );
}

function Part(props: { readonly title: string; readonly note?: string; readonly children: ReactNode }): ReactElement {
  return (
    <section>
      <h2 className="mb-2 flex items-baseline gap-2 text-base font-semibold">
        {props.title}
        {props.note && <span className="text-xs font-normal text-muted">{props.note}</span>}
      </h2>
      {props.children}
    </section>
  );
}
