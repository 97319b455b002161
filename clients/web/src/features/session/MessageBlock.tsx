import type { MessageItem } from "@outrider/sdk";
import { Brain } from "lucide-react";
import { lazy, Suspense, type ReactElement } from "react";

import { Inline } from "@/ui/Inline";
import { useThoughts } from "@/ui/thoughts";

import { Line } from "./Line";

const Markdown = lazy(() => import("@/ui/Markdown").then((module) => ({ default: module.Markdown })));

interface MessageBlockProps {
  readonly item: MessageItem;
  readonly typing: boolean;
}

/** The agent's prose, flowing; its thoughts are one quiet line. */
export function MessageBlock({ item, typing }: MessageBlockProps): ReactElement {
  const text = item.text.sealed + item.text.tail;
  if (item.speaker === "thought") return <Thought text={text} />;
  return (
    <div className={typing ? "typing" : undefined}>
      {item.text.hole && <p className="mb-2 text-xs text-warn">Some text before this was lost when the server stopped.</p>}
      <Prose text={text} />
    </div>
  );
}

/** One line, all of it, or nothing: as the viewer wants it. */
function Thought({ text }: { readonly text: string }): ReactElement | null {
  const thoughts = useThoughts();
  if (thoughts === "hidden") return null;
  return (
    <Line key={thoughts} icon={Brain} detail={() => <Prose text={text} />} startsOpen={thoughts === "open"}>
      <span className="text-muted">Thought</span>{" "}
      <span className="text-muted italic">
        <Inline text={firstLine(text)} />
      </span>
    </Line>
  );
}

function Prose({ text }: { readonly text: string }): ReactElement {
  return (
    <Suspense fallback={<p className="prose whitespace-pre-wrap">{text}</p>}>
      <Markdown text={text} />
    </Suspense>
  );
}

function firstLine(text: string): string {
  return text.trimStart().split("\n", 1)[0] ?? "";
}
