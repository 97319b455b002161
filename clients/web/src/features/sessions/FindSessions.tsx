import type { SearchHit } from "@outrider/protocol";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useDeferredValue, type ReactElement } from "react";

import { useSearch } from "@/features/server/queries";
import { ProblemNotice } from "@/ui/Notice";
import { Time } from "@/ui/Time";

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
export function Finds({ words }: { readonly words: string }): ReactElement {
  const wanted = useDeferredValue(words.trim());
  const found = useSearch(wanted);
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
            <Find key={`${hit.session}-${hit.kind}-${hit.seq}`} hit={hit} />
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

function Find({ hit }: { readonly hit: SearchHit }): ReactElement {
  return (
    <li>
      <Link
        to="/sessions/$session"
        params={{ session: hit.session }}
        className="-mx-3 block rounded-lg px-3 py-2.5 hover:bg-hover"
      >
        <span className="flex items-baseline justify-between gap-4">
          <span className="min-w-0 truncate font-medium">{hit.title}</span>
          <span className="shrink-0 text-xs text-muted">
            <Time at={hit.at} />
          </span>
        </span>
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
        <span className="text-xs text-muted">
          {WHERE[hit.kind]} · {hit.repository}
        </span>
      </Link>
    </li>
  );
}
