import type { KeptWork } from "@outrider/protocol";
import type { EndItem, NoticeItem, PullRequestItem, WorkItem } from "@outrider/sdk";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleSlash, CircleX, GitCommitHorizontal, GitPullRequest, Info } from "lucide-react";
import type { ReactElement } from "react";

import { CommitList } from "@/features/changes/CommitList";
import { compact, cost, count, seconds } from "@/ui/format";
import { Inline } from "@/ui/Inline";
import { Notice } from "@/ui/Notice";
import { PULL_REQUEST, TURN_END } from "@/ui/words";

import { Line } from "./Line";

/** The commits that came out of the workspace. */
export function WorkLine({ item }: { readonly item: WorkItem }): ReactElement {
  return (
    <Line
      icon={GitCommitHorizontal}
      end={item.uncommitted > 0 && <span className="text-warn">{count(item.uncommitted, "file")} not committed</span>}
      detail={() => <Commits item={item} />}
    >
      <span className="text-muted">Collected</span> {count(item.commits.length, "commit")} in{" "}
      {count(item.files.length, "file")}
    </Line>
  );
}

function Commits({ item }: { readonly item: WorkItem }): ReactElement {
  return (
    <>
      <CommitList commits={item.commits} />
      {item.leftoversCommitted && <p className="text-xs text-muted">What the agent had left uncommitted was committed.</p>}
    </>
  );
}

/** What became of the pull request. */
export function PullRequestLine(props: { readonly item: PullRequestItem; readonly repository: string }): ReactElement {
  const { item, repository } = props;
  const what = item.opened ? "Opened" : PULL_REQUEST[item.state];
  return (
    <Line icon={GitPullRequest}>
      <span className="text-muted">{what}</span>{" "}
      <Link
        to="/pulls/$repository/$number"
        params={{ repository, number: String(item.number) }}
        className="text-accent underline decoration-1 underline-offset-3"
      >
        pull request {item.number}
      </Link>{" "}
      {item.title}
      {item.by && <span className="text-muted"> by {item.by.name}</span>}
    </Line>
  );
}

/** Something that a person should know. */
export function NoticeLine({ item }: { readonly item: NoticeItem }): ReactElement {
  if (item.tone === "info") {
    return (
      <Line icon={Info} wraps>
        <span className="text-muted">
          <Inline text={item.sentence} />
        </span>
      </Line>
    );
  }
  return (
    <Notice tone={item.tone === "problem" ? "problem" : "warning"} remedy={item.remedy && <Inline text={item.remedy} />}>
      <Inline text={item.sentence} />
    </Notice>
  );
}

const END = {
  completed: { icon: CircleCheck, look: "text-pass" },
  stopped: { icon: CircleSlash, look: "text-muted" },
  failed: { icon: CircleX, look: "text-fail" },
} as const;

/** The end of a turn and why. */
export function EndLine({ item }: { readonly item: EndItem }): ReactElement {
  const { icon: Icon, look } = END[item.reason];
  const word = TURN_END[item.reason];
  return (
    <div className="flex gap-2 border-t border-line pt-3">
      <Icon aria-hidden size={16} className={`mt-0.5 shrink-0 ${look}`} />
      <div className="min-w-0 flex-1">
        <p>
          {!says(item.message, word) && <span className={`font-medium ${look}`}>{word}. </span>}
          <Inline text={item.message} />
        </p>
        {item.kept && item.kept.files.length > 0 && <Uncommitted kept={item.kept} />}
      </div>
      <span className="tabular text-right text-xs leading-5 text-muted">
        {seconds(item.seconds)}
        {item.spent.calls > 0 && (
          <span className="block" title={`${count(item.spent.calls, "model call")} in this turn`}>
            {compact(item.spent.inputTokens + item.spent.outputTokens)} tokens
            {money(item.spent) && <span className="block">{money(item.spent)}</span>}
          </span>
        )}
      </span>
    </div>
  );
}

/** The files that a turn left without a commit: they are in the workspace, and the next turn finds them. */
function Uncommitted({ kept }: { readonly kept: KeptWork }): ReactElement {
  const more = kept.uncommitted - kept.files.length;
  return (
    <details className="mt-1 text-xs text-muted">
      <summary className="cursor-pointer">{count(kept.uncommitted, "file")} not committed</summary>
      <ul className="mt-1 font-mono">
        {kept.files.map((file) => (
          <li key={file} className="break-all">
            {file}
          </li>
        ))}
      </ul>
      {more > 0 && <p>and {more} more</p>}
    </details>
  );
}

/** What the turn cost; nothing where it cost nothing, as in a rehearsal. */
function money({ costUsd, unpriced }: EndItem["spent"]): string {
  return costUsd > 0 || unpriced > 0 ? cost(costUsd, unpriced) : "";
}

function says(message: string, word: string): boolean {
  return message.toLowerCase().startsWith(word.toLowerCase());
}
