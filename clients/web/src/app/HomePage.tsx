import type { Me } from "@outrider/protocol";
import { EVERYTHING } from "@outrider/sdk";
import { useState, type ReactElement } from "react";

import { FirstSteps } from "@/features/sessions/FirstSteps";
import { NewSession } from "@/features/sessions/NewSession";
import { SessionBrowser } from "@/features/sessions/SessionBrowser";
import { useMe } from "@/features/server/queries";
import { useSessions } from "@/features/server/useSessions";
import { Button } from "@/ui/Button";
import { Inline } from "@/ui/Inline";
import { ISOLATION, LIMITS, wordFor } from "@/ui/words";

import { useTitle } from "./useTitle";

/** Archived ones too: whoever has any needs no first steps. */
const ANY = { ...EVERYTHING, states: ["waking", "running", "stopping", "idle", "asleep", "archived"] };

/** Begin a session, or go on with one. */
export function HomePage(): ReactElement {
  useTitle("Sessions");
  const me = useMe();
  const sessions = useSessions(ANY);
  const [draft, setDraft] = useState<Me["demo"]>(null);
  const none = sessions.data?.length === 0;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-3xl px-4 pt-8 pb-16 sm:pt-14">
        <Begin me={me.data} draft={draft} />
        {none && (
          <section className="mt-12 space-y-6">
            <FirstSteps />
            {me.data && <Demo me={me.data} onFill={setDraft} />}
          </section>
        )}
        {sessions.data && !none && (
          <div className="mt-12">
            <SessionBrowser />
          </div>
        )}
      </div>
    </div>
  );
}

interface BeginProps {
  readonly me: Me | undefined;
  readonly draft: Me["demo"];
}

/** Where a session begins; a guest begins none. */
function Begin({ me, draft }: BeginProps): ReactElement {
  if (me?.guest) return <p className="text-muted">You are a guest: these are the sessions that you were invited to.</p>;
  return (
    <>
      <h1 className="mb-4 text-2xl font-semibold tracking-tight">New session</h1>
      <NewSession key={draft?.repository} me={me} draft={draft} />
      {me?.isolation && (
        <p className="mt-2 px-1 text-xs text-muted">
          Sandboxes: {wordFor(ISOLATION, me.isolation)}
          {me.limit_tier && `, ${wordFor(LIMITS, me.limit_tier)}`}
          {me.provider && ` (${me.provider})`}
        </p>
      )}
    </>
  );
}

interface DemoProps {
  readonly me: Me;
  readonly onFill: (draft: Me["demo"]) => void;
}

/** A first job that works without a model. */
function Demo({ me, onFill }: DemoProps): ReactElement | null {
  if (!me.rehearsal) return null;
  return (
    <p className="flex flex-wrap items-center gap-3 text-muted">
      {me.demo ? (
        <Button onClick={() => onFill(me.demo)}>Fill in the demo</Button>
      ) : (
        <span>
          <Inline text="Try `outrider demo` in a terminal." />
        </span>
      )}
      No model is set, so a script plays the demo&apos;s agent. Everything else is real.
    </p>
  );
}
