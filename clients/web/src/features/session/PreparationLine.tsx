import type { PreparationItem, Stage } from "@outrider/sdk";
import { Check, LoaderCircle, Package, X } from "lucide-react";
import type { ReactElement } from "react";

import { seconds } from "@/ui/format";
import { Elapsed } from "@/ui/Time";

import { Line } from "./Line";

/** The way to a ready sandbox: its stages while it goes on, one line when it is done. */
export function PreparationLine({ item }: { readonly item: PreparationItem }): ReactElement {
  const failed = item.stages.some((stage) => stage.failed);
  const running = !item.ready && !failed && item.stages.at(-1)?.seconds === null;
  if (item.ready) {
    return (
      <Line
        icon={Package}
        end={<span className="tabular">{seconds(item.seconds ?? 0)}</span>}
        detail={item.stages.length > 0 ? () => <Stages item={item} /> : undefined}
      >
        <span className="text-muted">Prepared</span> a sandbox
      </Line>
    );
  }
  return (
    <div>
      <Line
        icon={running ? LoaderCircle : Package}
        iconClass={running ? "breathing text-accent" : "text-muted"}
        end={running && <Elapsed since={item.at} />}
      >
        {failed ? "The sandbox could not be prepared" : "Preparing a sandbox"}
      </Line>
      <div className="mt-1 ml-6">
        <Stages item={item} />
      </div>
    </div>
  );
}

function Stages({ item }: { readonly item: PreparationItem }): ReactElement {
  return (
    <ol className="space-y-1 text-xs">
      {item.stages.map((stage) => (
        <li key={`${stage.name} ${stage.text}`} className="flex items-baseline gap-2">
          <StageIcon stage={stage} />
          <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">{stage.text}</span>
          {stage.failed && <span className="text-fail">failed</span>}
          {stage.seconds !== null && <span className="tabular text-muted">{seconds(stage.seconds)}</span>}
        </li>
      ))}
    </ol>
  );
}

function StageIcon({ stage }: { readonly stage: Stage }): ReactElement {
  if (stage.failed) return <X aria-hidden size={12} className="shrink-0 self-center text-fail" />;
  if (stage.seconds !== null) return <Check aria-label="done" size={12} className="shrink-0 self-center text-pass" />;
  return <LoaderCircle aria-label="under way" size={12} className="breathing shrink-0 self-center text-accent" />;
}
