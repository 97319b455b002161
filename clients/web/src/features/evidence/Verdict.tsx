import type { ProofVerdict } from "@outrider/protocol";
import { CircleDashed } from "lucide-react";
import type { ReactElement } from "react";

import { State } from "@/ui/State";
import { VERDICT, wordFor } from "@/ui/words";

import { VERDICT_LOOK } from "./states";

/** What a proof shows, as an icon and its word. */
export function Verdict({ verdict }: { readonly verdict: string }): ReactElement {
  const look = VERDICT_LOOK[verdict as ProofVerdict] ?? { icon: CircleDashed, tone: "plain" };
  return <State icon={look.icon} tone={look.tone} word={wordFor(VERDICT, verdict)} />;
}
