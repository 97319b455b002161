import type { ToolContent } from "@outrider/protocol";
import type { ToolItem } from "@outrider/sdk";
import { useMemo, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { parseDiff } from "@/ui/diff";
import { DiffView } from "@/ui/DiffView";
import { bytes } from "@/ui/format";
import { CodeBlock } from "@/ui/Markdown";
import { TerminalText } from "@/ui/TerminalText";

import { commandIn } from "./toolObject";

interface ToolDetailProps {
  readonly item: ToolItem;
  readonly session: string;
}

/** What a tool was given and what it gave back. */
export default function ToolDetail({ item, session }: ToolDetailProps): ReactElement {
  const hasDiff = item.content.some((part) => part.type === "diff");
  return (
    <>
      {item.paths.length > 0 && item.tool !== "execute" && (
        <p className="font-mono text-xs [overflow-wrap:anywhere] text-muted">{item.paths.join(", ")}</p>
      )}
      {item.input && !hasDiff && <Input input={item.input} />}
      {item.content.map((part, i) => (
        <Content key={i} part={part} />
      ))}
      {item.content.length === 0 && item.endedAt && <p className="text-xs text-muted">It gave nothing back.</p>}
      {item.log && (
        <p className="text-xs">
          <a href={api.artifactUrl(session, item.log.artifact)} download className="text-accent hover:underline">
            {item.log.whole ? "Whole output" : "Beginning and end of the output"}
          </a>{" "}
          <span className="text-muted">of {bytes(item.log.bytes)}</span>
        </p>
      )}
      {item.asked && (
        <p className="text-xs text-muted">
          The agent asked for permission: {item.refused ? "it was not given" : "given, since the sandbox is the boundary"}.
        </p>
      )}
      {item.tool === "execute" && (
        <p className="border-l-2 border-dashed border-line-strong pl-2 text-xs text-muted">
          Run by the agent in its own sandbox: unverified.
        </p>
      )}
    </>
  );
}

function Input({ input }: { readonly input: string }): ReactElement {
  const command = useMemo(() => commandIn(input), [input]);
  if (command !== null) return <CodeBlock code={`$ ${command}`} language="" />;
  return <CodeBlock code={input} language="json" />;
}

function Content({ part }: { readonly part: ToolContent }): ReactElement {
  return (
    <>
      {part.type === "diff" ? <Diff diff={part.diff} /> : <TerminalText text={part.text} label="What came back" />}
      {part.truncated && <p className="text-xs text-muted">It was longer: a part was dropped.</p>}
    </>
  );
}

function Diff({ diff }: { readonly diff: string }): ReactElement {
  const files = useMemo(() => parseDiff(diff), [diff]);
  return (
    <>
      {files.map((file) => (
        <div key={file.path} className="overflow-hidden rounded-md border border-line">
          <DiffView file={file} />
        </div>
      ))}
    </>
  );
}
