import type { SearchHit } from "@outrider/protocol";
import type { Wanted } from "@outrider/sdk";
import { Search } from "lucide-react";
import { useDeferredValue, type ReactElement } from "react";

import { useSearch } from "@/features/server/queries";
import { ProblemNotice } from "@/ui/Notice";

import { SessionRow } from "./SessionRow";
import { SessionState } from "./SessionState";

interface FindFieldProps {
  readonly words: string;
  readonly onChange: (words: string) => void;
}

/** Where words are typed that were asked or said in any session. */
export function FindField({ words, onChange }: FindFieldProps): ReactElement {
  return (
    <label className="relative block w-full max-w-64 min-w-0">
      <span className="sr-only">Find in all sessions</span>
      <Search aria-hidden size={14} className="absolute top-2 left-2.5 text-muted" />
      <input
        type="search"
        value={words}
        onChange={(event) => onChange(event.target.value)}
        placeholder="Find in all sessions"
        autoComplete="off"
        className="h-8 w-full rounded-md border border-line bg-paper pr-2 pl-8 placeholder:text-muted
          hover:border-line-strong"
      />
    </label>
  );
}

/** The passages that hold the words, each leading to its session. */
export function Finds({ wanted }: { readonly wanted: Wanted }): ReactElement {
  const found = useSearch(useDeferredValue(wanted));
  if (found.error) return <ProblemNotice problem={found.error} />;
  const hits = found.data;
  return (
    <div aria-busy={found.isFetching}>
      <p role="status" className="sr-only">
        {hits && `${hits.length} found`}
      </p>
      {hits?.length === 0 && (
        <p className="border-y border-line py-3 text-muted">Nothing was found. Fewer words find more.</p>
      )}
      {hits && hits.length > 0 && (
        <ul className="divide-y divide-line border-y border-line">
          {hits.map((hit) => (
            <SessionRow
              key={`${hit.session}-${hit.kind}-${hit.seq}`}
              id={hit.session}
              title={hit.title}
              at={hit.at}
              passage={<Snippet hit={hit} />}
            >
              <span className="text-muted">
                {WHERE[hit.kind]} · {hit.repository}
              </span>
              {hit.status === "archived" && <SessionState status="archived" />}
            </SessionRow>
          ))}
        </ul>
      )}
    </div>
  );
}

const WHERE: Record<SearchHit["kind"], string> = {
  title: "in the title",
  prompt: "asked",
  message: "said",
  pull_request: "in a pull request",
};

function Snippet({ hit }: { readonly hit: SearchHit }): ReactElement {
  return (
    <span className="line-clamp-2 [overflow-wrap:anywhere]">
      {hit.snippet.map((part, index) =>
        part.hit ? (
          <mark key={index} className="rounded-xs bg-accent-wash font-medium text-ink">
            {part.text}
          </mark>
        ) : (
          <span key={index}>{part.text}</span>
        ),
      )}
    </span>
  );
}
