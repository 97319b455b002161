import type { SessionView } from "@outrider/sdk";
import type { ReactElement, ReactNode } from "react";

import { api } from "@/features/server/api";
import { Choice } from "@/ui/Choice";
import { compact, cost, count, shortHash } from "@/ui/format";
import { setThoughts, useThoughts, type Thoughts } from "@/ui/thoughts";
import { Time } from "@/ui/Time";
import { ISOLATION, LIMITS, REHEARSAL } from "@/ui/words";

import { ChildrenPart } from "./ChildrenPart";
import { Plan } from "./Plan";

/** Plan, money, sandbox and origin of the session. */
export function About({ view }: { readonly view: SessionView }): ReactElement {
  return (
    <div className="space-y-6">
      <Part title="Plan">
        <Plan entries={view.plan} />
      </Part>
      <Part title="Sessions below it">
        <ChildrenPart view={view} />
      </Part>
      <Part title="Use">
        <Spending view={view} />
      </Part>
      <Part title="Sandbox">
        <Sandbox view={view} />
      </Part>
      {view.created && (
        <Part title="Session">
          <Facts>
            <Fact name="Repository">{view.created.repository.name}</Fact>
            <Fact name="Begins at">
              {view.created.base_branch} {shortHash(view.created.base_commit)}
            </Fact>
            {view.branch && <Fact name="Branch">{view.branch}</Fact>}
            <Fact name="Created">
              by {view.created.created_by.person.name}, <Time at={view.created.at} />
            </Fact>
            <Fact name="Thoughts">
              <ThoughtsChoice />
            </Fact>
            <Fact name="Take away">
              <Transcript session={view.created.session} />
            </Fact>
          </Facts>
        </Part>
      )}
    </div>
  );
}

const THOUGHTS: Record<Thoughts, string> = { line: "a line each", open: "in full", hidden: "not shown" };

/** How this browser shows what the agent thinks. */
function ThoughtsChoice(): ReactElement {
  const chosen = useThoughts();
  const words = Object.values(THOUGHTS);
  const choose = (word: string): void => {
    const found = (Object.keys(THOUGHTS) as Thoughts[]).find((each) => THOUGHTS[each] === word);
    if (found) setThoughts(found);
  };
  return <Choice name="Thoughts" value={THOUGHTS[chosen]} options={words} onChange={choose} />;
}

/** The whole story as a file. */
function Transcript({ session }: { readonly session: string }): ReactElement {
  const look = "text-accent hover:underline";
  return (
    <>
      <a href={api.transcriptUrl(session, "markdown")} download className={look}>
        Markdown
      </a>
      {" · "}
      <a href={api.transcriptUrl(session, "json")} download className={look}>
        every event as JSON
      </a>
    </>
  );
}

function Spending({ view }: { readonly view: SessionView }): ReactElement {
  const { spending, created } = view;
  const rehearsal = created?.model.provider === "rehearsal";
  return (
    <Facts>
      <Fact name="Model">{created ? `${created.model.provider}/${created.model.name}` : "…"}</Fact>
      {rehearsal ? (
        <Fact name="Cost">nothing. {REHEARSAL}</Fact>
      ) : (
        <Fact name="Cost">{spending.calls === 0 ? "nothing yet" : cost(spending.costUsd, spending.unpriced)}</Fact>
      )}
      <Fact name="Calls">{spending.calls}</Fact>
      <Fact name="Tokens">
        {compact(spending.inputTokens)} in, {compact(spending.outputTokens)} out, {compact(spending.cacheTokens)} cached
      </Fact>
    </Facts>
  );
}

function Sandbox({ view }: { readonly view: SessionView }): ReactElement {
  const { sandbox, engine } = view;
  if (!sandbox) return <p className="text-muted">Asleep: its files are kept, and it wakes with the next prompt.</p>;
  return (
    <Facts>
      {sandbox.provider && <Fact name="Provider">{sandbox.provider}</Fact>}
      <Fact name="Isolation">{sandbox.isolation ? ISOLATION[sandbox.isolation] : "getting ready"}</Fact>
      {sandbox.limitTier && <Fact name="Limits">{LIMITS[sandbox.limitTier]}</Fact>}
      {engine && <Fact name="Engine">{engine}</Fact>}
      <Fact name="Network">none but through Outrider</Fact>
      <Fact name="Waiting">{count(view.queue.length, "prompt")}</Fact>
    </Facts>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <section>
      <h3 className="mb-2 text-xs font-medium text-muted">{title}</h3>
      {children}
    </section>
  );
}

function Facts({ children }: { readonly children: ReactNode }): ReactElement {
  return <dl className="tabular grid grid-cols-[6rem_1fr] gap-x-3 gap-y-1.5">{children}</dl>;
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
