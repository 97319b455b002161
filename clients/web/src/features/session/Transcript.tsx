import type { SessionView, TranscriptItem } from "@outrider/sdk";
import { memo, useState, type ReactElement } from "react";

import { Button } from "@/ui/Button";

import { ChildLine } from "./ChildLine";
import { EgressLine } from "./EgressLine";
import { EndLine, NoticeLine, PullRequestLine, WorkLine } from "./lines";
import { MessageBlock } from "./MessageBlock";
import { PreparationLine } from "./PreparationLine";
import { PromptCard } from "./PromptCard";
import { ProofBlock } from "./ProofBlock";
import { SnapshotLine } from "./SnapshotLine";
import { ToolLine } from "./ToolLine";

interface TranscriptProps {
  readonly view: SessionView;
  readonly session: string;
  readonly onOpenEvidence: () => void;
}

/** How many items are drawn at first, and more each time that they are asked for. */
const PAGE_ITEMS = 300;

/** What happened, in its order. The beginning of a long session is drawn when it is asked for. */
export function Transcript({ view, session, onOpenEvidence }: TranscriptProps): ReactElement {
  const rehearsal = view.created?.model.provider === "rehearsal";
  const [start, setStart] = useState(() => Math.max(0, view.items.length - PAGE_ITEMS));
  return (
    <ol aria-label="Transcript" className="pb-4">
      {start > 0 && (
        <li>
          <Button look="quiet" onClick={() => setStart(Math.max(0, start - PAGE_ITEMS))}>
            Show earlier <span className="tabular">({start})</span>
          </Button>
        </li>
      )}
      {view.items.slice(start).map((item, i) => (
        <li key={item.key} className={`skippable -mx-2 px-2 ${gapBefore(item, view.items[start + i - 1])}`}>
          {item.kind === "proof" ? (
            <ProofBlock
              proof={view.proofs.find((proof) => proof.id === item.proof)}
              session={session}
              rehearsal={rehearsal}
              onOpen={onOpenEvidence}
            />
          ) : (
            <Item
              item={item}
              repository={view.created?.repository.name ?? ""}
              session={session}
              typing={isTyping(item, view)}
            />
          )}
        </li>
      ))}
    </ol>
  );
}

interface ItemProps {
  readonly item: Exclude<TranscriptItem, { kind: "proof" }>;
  readonly repository: string;
  readonly session: string;
  /** Whether the agent is still writing this. */
  readonly typing: boolean;
}

const Item = memo(function Item({ item, repository, session, typing }: ItemProps): ReactElement {
  switch (item.kind) {
    case "prompt":
      return <PromptCard item={item} session={session} />;
    case "message":
      return <MessageBlock item={item} typing={typing} />;
    case "tool":
      return <ToolLine item={item} session={session} />;
    case "preparation":
      return <PreparationLine item={item} />;
    case "work":
      return <WorkLine item={item} />;
    case "pull-request":
      return <PullRequestLine item={item} repository={repository} />;
    case "notice":
      return <NoticeLine item={item} />;
    case "egress":
      return <EgressLine item={item} session={session} />;
    case "snapshot":
      return <SnapshotLine item={item} session={session} />;
    case "child":
      return <ChildLine item={item} />;
    case "end":
      return <EndLine item={item} />;
  }
});

function isTyping(item: TranscriptItem, view: SessionView): boolean {
  return item.kind === "message" && isAtWork(view) && item === view.items.at(-1);
}

function isAtWork({ turn }: SessionView): boolean {
  return turn?.phase === "working" || turn?.phase === "reading";
}

const QUIET = new Set<TranscriptItem["kind"]>(["tool", "preparation", "work", "pull-request", "child"]);

/** Quiet lines stand close together; a new prompt begins a new page; all else is a paragraph apart. */
function gapBefore(item: TranscriptItem, before: TranscriptItem | undefined): string {
  if (!before) return "";
  if (item.kind === "prompt") return "mt-10";
  const thoughts = [item, before].filter((each) => each.kind === "message" && each.speaker === "thought").length;
  const quiet = [item, before].filter((each) => QUIET.has(each.kind)).length;
  return quiet + thoughts === 2 ? "mt-0.5" : "mt-4";
}
