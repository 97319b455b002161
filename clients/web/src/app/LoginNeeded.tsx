import { KeyRound } from "lucide-react";
import type { ReactElement } from "react";

/** How to get in: a link that the machine itself gives out. */
export function LoginNeeded(): ReactElement {
  return (
    <main className="grid min-h-dvh place-items-center px-4">
      <div className="w-full max-w-md">
        <KeyRound aria-hidden size={24} className="text-accent" />
        <h1 className="mt-3 text-xl font-semibold tracking-tight">You are not logged in</h1>
        <p className="mt-2 text-base text-muted">
          Outrider has no passwords. On the machine where it runs, ask for a link and open it in this browser:
        </p>
        <pre className="code mt-4 text-sm!">
          <span className="text-muted select-none">$ </span>outrider login
        </pre>
        <p className="mt-3 text-muted">The link works once and for ten minutes. The browser then stays logged in.</p>
        <p className="mt-3 text-muted">Not at that machine? Who runs it can make you such a link; a guest asks who invited them.</p>
      </div>
    </main>
  );
}
