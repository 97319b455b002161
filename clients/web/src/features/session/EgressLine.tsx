import type { EgressItem } from "@outrider/sdk";
import { Globe, GlobeLock } from "lucide-react";
import type { ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { ProblemNotice } from "@/ui/Notice";

import { Line } from "./Line";
import { useCommand } from "./useCommand";

/** A host that the sandbox was refused: one click allows it. */
export function EgressLine({ item, session }: { readonly item: EgressItem; readonly session: string }): ReactElement {
  const { busy, problem, run } = useCommand();
  if (item.allowed) {
    const where = item.allowed.scope === "repository" ? "in this repository" : "in this session";
    return (
      <Line icon={Globe} wraps>
        <span className="text-muted">{item.allowed.by.name} allowed</span> {item.rule}{" "}
        <span className="text-muted">{where}</span>
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
