import type { EgressItem } from "@outrider/sdk";
import { Globe, GlobeLock } from "lucide-react";
import type { ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { ProblemNotice } from "@/ui/Notice";

import { Line } from "./Line";
import { useCommand } from "./useCommand";

const WHERE = { session: "in this session", repository: "in this repository" } as const;

/** A host that the sandbox was refused: one click allows it, and another takes it back. */
export function EgressLine({ item, session }: { readonly item: EgressItem; readonly session: string }): ReactElement {
  const { busy, problem, run } = useCommand();
  if (item.allowed) {
    const { by, scope } = item.allowed;
    return (
      <>
        <Line icon={Globe} wraps>
          <span className="text-muted">{by.name} allowed</span> {item.rule} <span className="text-muted">{WHERE[scope]}</span>
        </Line>
        <div className="mt-1 ml-6">
          <Button disabled={busy} onClick={() => void run(() => api.forbidHost(session, item.rule, scope))}>
            Take back
          </Button>
        </div>
        {problem && <ProblemNotice problem={problem} />}
      </>
    );
  }
  if (item.forbidden) {
    const { by, scope } = item.forbidden;
    return (
      <Line icon={GlobeLock} wraps>
        <span className="text-muted">{by.name} took back</span> {item.rule}{" "}
        <span className="text-muted">{WHERE[scope]}: it is refused from the next connection on</span>
      </Line>
    );
  }
  return (
    <>
      <Line icon={GlobeLock} iconClass="text-warn" wraps>
        <span className="text-muted">The sandbox was refused</span>{" "}
        <span className="[overflow-wrap:anywhere]">
          {item.host}:{item.port}
        </span>
        <span className="text-muted">: {item.why}</span>
      </Line>
      {item.allowable && (
        <div className="mt-1 ml-6 flex flex-wrap gap-2">
          <Button disabled={busy} onClick={() => void run(() => api.allowHost(session, item.rule))}>
            Allow here
          </Button>
          <Button disabled={busy} onClick={() => void run(() => api.allowHost(session, item.rule, "repository"))}>
            Allow in this repository
          </Button>
        </div>
      )}
      {problem && <ProblemNotice problem={problem} />}
    </>
  );
}
