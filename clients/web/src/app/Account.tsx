import type { Me } from "@outrider/protocol";
import { LogOut } from "lucide-react";
import { useId, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { useCommand } from "@/features/session/useCommand";
import { Button } from "@/ui/Button";
import { Face } from "@/ui/Face";
import { ProblemNotice } from "@/ui/Notice";

/** Who is logged in, and the way out. The browser's own popover closes by Escape and by a click beside it. */
export function Account({ me }: { readonly me: Me }): ReactElement {
  const { busy, problem, run } = useCommand();
  const id = useId();
  const { name, email } = me.person;
  const leave = async (): Promise<void> => {
    if (await run(() => api.logOut())) location.assign("/"); // loaded anew: nothing of this person stays in memory
  };
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        aria-label={`Your login: ${name}`}
        title={name}
        className="inline-grid size-7 shrink-0 place-items-center rounded-full hover:ring-2 hover:ring-line-strong pointer-coarse:size-9"
      >
        <Face name={name} />
      </button>
      <div
        id={id}
        popover="auto"
        className="fixed inset-auto top-11 right-3 m-0 w-64 rounded-xl border border-line-strong bg-raised p-4 text-ink shadow-xl"
      >
        <p className="truncate text-base font-medium">
          {name}
          {me.guest && <span className="font-normal text-muted"> (a guest)</span>}
        </p>
        <p className="truncate text-muted">{email}</p>
        {me.guest && <p className="mt-2 text-muted">To come back you need another link from who invited you.</p>}
        <Button className="mt-3 w-full" disabled={busy} onClick={() => void leave()}>
          <LogOut aria-hidden size={14} />
          Log out
        </Button>
        {problem && (
          <div className="mt-2">
            <ProblemNotice problem={problem} />
          </div>
        )}
        <p className="mt-3 text-xs text-muted">Outrider {me.version}</p>
      </div>
    </>
  );
}
